import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { takeDeletionStep } from '../../src/access/deleteOrganization.js';
import { Inbox } from '../delivery/support/Inbox.js';
import { newAccount } from '../support/decideAuthorization.js';
import { eventually } from '../support/eventually.js';
import { GraphQLClient } from '../support/GraphQLClient.js';
import { connectKlaviyo } from '../support/klaviyoFlow.js';
import { Platform } from '../support/Platform.js';
import { makeSession } from '../support/sessionFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createWebhookConnection, publish, seeDeliveries, subscribe, waitForDelivery } from '../support/webhookFlow.js';

const DELETE = `mutation ($input: DeleteOrganizationInput!) { deleteOrganization(input: $input) {
  organization { id externalId deletion { requestedAt connectionsErased deliveriesErased eventsErased } } userErrors { code path } } }`;
const remove = async (platform: Platform, input: object) => (await platform.query(DELETE, { input })).deleteOrganization;
const see = async (platform: Platform, externalId: string) =>
  (
    await platform.query(
      'query ($externalId: String) { organization(externalId: $externalId) { id deletion { requestedAt connectionsErased deliveriesErased eventsErased } } }',
      { externalId },
    )
  ).organization;

/** Returns the number of rows of each table that contain an organization. */
async function traces({ sql }: TestSwitchboard, organizationId: string): Promise<Record<string, number>> {
  const tables = await sql(`
    select c.relname as name from pg_attribute a join pg_class c on c.oid = a.attrelid
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attname = 'organization_id'`);
  const found: Record<string, number> = {};
  for (const { name } of [...tables, { name: 'organizations' }]) {
    const key = name === 'organizations' ? 'id' : 'organization_id';
    const [{ count }] = await sql(`select count(*)::int as count from ${name} where ${key} = ?`, [organizationId]);
    if (count > 0) found[name] = count;
  }
  return found;
}

describe('deleteOrganization', () => {
  let switchboard: TestSwitchboard;
  let platform: Platform;
  beforeAll(async () => {
    switchboard = await startSwitchboard();
    platform = await Platform.of(switchboard);
  });
  afterAll(() => switchboard.close());

  it('ends keys, tokens and sessions at once, revokes grants, and erases everything until no row is left', async () => {
    const acting = await platform.newOrganization('leaving');
    const staying = await platform.newOrganization('staying');
    const account = newAccount(switchboard);
    await connectKlaviyo(acting, account.id);
    const url = `${switchboard.publicUrl}/sandbox/inbox/leaving`;
    for (const client of [acting, staying]) await subscribe(client, await createWebhookConnection(client, url));
    const recipient = { email: 'jane@example.com' };
    for (const client of [acting, staying]) {
      const event = await publish(client, { recipient, idempotencyKey: 'once' });
      await waitForDelivery(client, event, 'DELIVERED');
    }
    const { createApiKey } = await acting.query('mutation { createApiKey(input: {}) { apiKey { publicKey } secretKey } }');
    const own = new GraphQLClient(platform.url, { ...createApiKey.apiKey, secretKey: createApiKey.secretKey });
    const issued = await fetch(`${switchboard.publicUrl}/oauth2/token`, {
      ...{ method: 'POST', headers: { authorization: own.authorization } },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    const bearer = { authorization: `Bearer ${((await issued.json()) as { access_token: string }).access_token}` };
    const ask = async (client: GraphQLClient, headers = {}) => (await client.send('{ organization { id } }', {}, headers)).status;
    const session = await makeSession(acting, { permissions: ['VIEW'] });
    const browser = { authorization: session.authorization };
    expect([await ask(own), await ask(own, bearer), await ask(own, browser)]).toEqual([200, 200, 200]);
    const stayingBefore = await seeDeliveries(staying, {});
    const { organization, userErrors } = await remove(platform, { externalId: 'leaving' });
    expect([organization.externalId, userErrors]).toEqual(['leaving', []]);
    expect(new Date(organization.deletion.requestedAt).getTime()).toBeGreaterThan(0);

    expect([await ask(own), await ask(own, bearer), await ask(own, browser)]).toEqual([401, 401, 401]);
    const refused = await acting.send('{ organization { id } }');
    expect([refused.status, refused.errors?.[0].extensions.code]).toEqual([404, 'ORGANIZATION_NOT_FOUND']);
    await eventually(async () => expect(await see(platform, 'leaving')).toBeNull());
    expect(await traces(switchboard, organization.id)).toEqual({});
    const [orphans] = await switchboard.sql(`select
      (select count(*)::int from attempts a where not exists (select from deliveries d where d.id = a.delivery_id)) as attempts,
      (select count(*)::int from credentials c where not exists (select from connections k where k.id = c.connection_id)) as credentials`);
    expect(orphans).toEqual({ attempts: 0, credentials: 0 });
    await eventually(() =>
      expect(switchboard.sandbox?.klaviyo.installations().some((installed) => installed.account.id === account.id)).toBe(false),
    );
    expect(await seeDeliveries(staying, {})).toEqual(stayingBefore);

    expect((await remove(platform, { externalId: 'leaving' })).userErrors).toEqual([{ code: 'NOT_FOUND', path: ['externalId'] }]);
    const anew = await platform.upsert({ externalId: 'leaving' });
    expect([anew.created, anew.organization.id === organization.id]).toEqual([true, false]);
  });

  it('stops deliveries at once', async () => {
    const acting = await platform.newOrganization('loud');
    const inbox = await Inbox.open((response) => {
      response.statusCode = 500;
      response.end();
    });
    try {
      await subscribe(acting, await createWebhookConnection(acting, inbox.url));
      await waitForDelivery(acting, await publish(acting), 'RETRYING');
      const { organization } = await remove(platform, { externalId: 'loud' });
      const rows = await switchboard.sql('select status from connections where organization_id = ?', [organization.id]);
      expect(rows.filter(({ status }) => status !== 'disabled')).toEqual([]);
      const seen = inbox.received.length;
      await eventually(async () => expect(await see(platform, 'loud')).toBeNull());
      expect(inbox.received).toHaveLength(seen);
    } finally {
      await inbox.close();
    }
  });

  it('requires exactly one name of an existing organization', async () => {
    expect((await remove(platform, {})).userErrors).toEqual([{ code: 'REQUIRED', path: ['id'] }]);
    expect((await remove(platform, { id: '1', externalId: 'x' })).userErrors).toEqual([
      { code: 'INVALID', path: ['externalId'] },
    ]);
    expect((await remove(platform, { id: '987654321' })).userErrors).toEqual([{ code: 'NOT_FOUND', path: ['id'] }]);
  });
});

describe('A deletion', () => {
  it('shows its progress, is not restarted by another call, and survives a crash of its worker', async () => {
    const api = await startSwitchboard({ ROLE: 'api' });
    const platform = await Platform.of(api);
    const acting = await platform.newOrganization('large');
    const connection = await createWebhookConnection(acting);
    await subscribe(acting, connection);
    for (let index = 0; index < 12; index += 1) await createWebhookConnection(acting);
    await publish(acting);
    // Adds many rows of the same kind.
    await api.sql(`
      with more as (
        insert into events (id, organization_id, event_type, payload)
        select gen_random_uuid(), organization_id, event_type, payload from events, generate_series(1, 2500) returning id, organization_id
      )
      insert into deliveries (id, organization_id, event_id, subscription_id, connection_id, event_type, status)
      select gen_random_uuid(), m.organization_id, m.id, d.subscription_id, d.connection_id, d.event_type, 'delivered'
      from more m, deliveries d`);
    const asked = await Promise.all(Array.from({ length: 5 }, () => remove(platform, { externalId: 'large' })));
    for (const { organization, userErrors } of asked) {
      expect([userErrors, organization.deletion.requestedAt]).toEqual([[], asked[0].organization.deletion.requestedAt]);
    }
    const { organization } = asked[0];
    expect((await platform.upsert({ externalId: 'large' })).userErrors).toMatchObject([
      { code: 'CONFLICT', path: ['externalId'] },
    ]);
    expect(await api.sql("select status from connections where status <> 'disabled'")).toEqual([]);

    const crashing = {
      ...{ database: api.database, log: { error: () => {} } as never },
      releaseGrant: async () => {},
      sweepQueue: async () => {
        throw new Error('The process dies here.');
      },
    };
    expect(await takeDeletionStep(crashing)).toBe('taken');
    expect((await see(platform, 'large')).deletion.connectionsErased).toBe(0);
    expect(await api.sql('select failures from organization_deletions')).toEqual([{ failures: 1 }]);
    await api.sql('update organization_deletions set run_at = now()');
    // Two workers take its steps concurrently, and stop in the middle.
    const working = { ...crashing, sweepQueue: async () => {} };
    for (let step = 0; step < 4; step += 1) await Promise.all([takeDeletionStep(working), takeDeletionStep(working)]);
    const amid = (await see(platform, 'large')).deletion;
    expect(amid.connectionsErased).toBe(13);
    expect(amid.deliveriesErased).toBeGreaterThan(0);
    expect(amid.deliveriesErased).toBeLessThanOrEqual(2501);
    expect(Object.keys(await traces(api, organization.id))).toContain('events');

    const worker = await startSwitchboard({ ROLE: 'worker' }, api.testDatabase);
    try {
      await eventually(async () => expect(await see(platform, 'large')).toBeNull(), { withinMs: 60_000 });
      expect(await traces(api, organization.id)).toEqual({});
    } finally {
      await worker.close();
      await api.close();
    }
  }, 90_000);

  it('waits for an authorization that is being completed', async () => {
    const api = await startSwitchboard({ ROLE: 'api' });
    try {
      const platform = await Platform.of(api);
      await platform.newOrganization('linking');
      const { id } = await see(platform, 'linking');
      await api.sql(
        `insert into authorizations (id, organization_id, provider, status, state_hash, redirect_uri, scopes, display, expires_at, consumed_at)
         values (gen_random_uuid(), ?, 'klaviyo', 'pending', 'x', 'x', '{}', 'page', now() + interval '10 minutes', now())`,
        [id],
      );
      await remove(platform, { externalId: 'linking' });
      const step = {
        ...{ database: api.database, log: { error: () => {} } as never },
        ...{ releaseGrant: async () => {}, sweepQueue: async () => {} },
      };
      while ((await takeDeletionStep(step)) === 'taken');
      expect(await see(platform, 'linking')).not.toBeNull();
      await api.sql("update authorizations set status = 'failed'");
      await eventually(async () => {
        await takeDeletionStep(step);
        expect(await see(platform, 'linking')).toBeNull();
      });
    } finally {
      await api.close();
    }
  });
});
