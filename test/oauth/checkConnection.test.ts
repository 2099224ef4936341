import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { insertDeliveries } from '../../src/delivery/queue/insertDeliveries.js';
import { connectionNotices } from '../../src/events/connectionNotices.js';
import { createEventTypeRegistry } from '../../src/events/types/eventTypeRegistry.js';
import { eventTypes } from '../../src/events/types/eventTypes.js';
import { createBoundedFetch } from '../../src/klaviyo/createBoundedFetch.js';
import { KlaviyoOAuth } from '../../src/klaviyo/KlaviyoOAuth.js';
import { type CheckDependencies, checkDueConnections } from '../../src/oauth/checkConnection.js';
import { declareGrantLost } from '../../src/oauth/getProviderAccessToken.js';
import type { FaultOrder } from '../../src/sandbox/createSandbox.js';
import { LiveClient } from '../graphql/live/support/LiveClient.js';
import { eventually } from '../support/eventually.js';
import { GraphQLClient } from '../support/GraphQLClient.js';
import { connectKlaviyo, createKlaviyoConnection, seeConnection } from '../support/klaviyoFlow.js';
import { type LogLine, recordLog } from '../support/recordLog.js';
import { type ServerPair, startServerPair } from '../support/startServerPair.js';
import { testCipher } from '../support/testCipher.js';
import { createWebhookConnection, publish, subscribe, trySubscribe, waitForDelivery } from '../support/webhookFlow.js';

let pair: ServerPair;
let klaviyo: ServerPair['klaviyo'];
let one: ServerPair['one'];
let two: ServerPair['two'];
beforeAll(async () => {
  pair = await startServerPair();
  ({ klaviyo, one, two } = pair);
});
afterAll(() => pair.close());
afterEach(() => klaviyo.klaviyo.clearFaults());

const CHECK = `mutation ($id: ID!) { checkConnection(input: { connectionId: $id }) {
  result { outcome message missingScopes checkedAt account { id name timezone } }
  connection { id status statusReason statusReasonCode configuration { ... on KlaviyoConfiguration { lastCheckedAt missingScopes } } }
  userErrors { code message path }
} }`;
const check = async (client: GraphQLClient, id: string) => (await client.query(CHECK, { id })).checkConnection;

/** Moves time by half a minute: a stored result is then too old to reuse, and the pause after a refresh has ended. */
const later = (id: string) =>
  one.sql('update credentials set check_leased_until = null, refresh_leased_until = null where connection_id = ?', [id]);

let shops = 0;
async function linked({ subscribed = true } = {}) {
  const client = await one.anotherOrganization();
  shops += 1;
  const account = klaviyo.klaviyo.addAccount({ name: `Shop ${shops}` });
  const connectionId = await connectKlaviyo(client, account.id);
  if (subscribed) await subscribe(client, connectionId);
  return { client, account, connectionId };
}

/** Returns the events about connections that the organization's webhook has received, by type. */
async function noticesOf(client: GraphQLClient): Promise<() => Promise<{ type: string; data: Record<string, unknown> }[]>> {
  const webhook = await createWebhookConnection(client);
  for (const eventType of ['connections.reauthorization.required', 'connections.account.changed', 'connections.scopes.missing']) {
    await trySubscribe(client, { connectionId: webhook, eventType });
  }
  return async () =>
    (
      await one.sql(
        "select e.event_type, e.payload from events e where e.organization_id = ? and e.event_type like 'connections.%' and exists (select from deliveries d where d.event_id = e.id) order by e.created_at, e.id",
        [client.keys.organizationId],
      )
    ).map(({ event_type, payload }) => ({ type: event_type, data: payload }));
}

describe('Checking a connection', () => {
  it('with a valid grant returns HEALTHY, with its account and the time', async () => {
    const { client, account, connectionId } = await linked();
    expect((await seeLastChecked(client, connectionId)).lastCheckedAt).toBeNull();
    const { result, connection, userErrors } = await check(client, connectionId);
    expect(userErrors).toEqual([]);
    expect(result).toMatchObject({
      ...{ outcome: 'HEALTHY', missingScopes: [], message: 'Klaviyo honours the grant.' },
      account: { id: account.id, name: account.name, timezone: 'Europe/Amsterdam' },
    });
    expect(connection).toMatchObject({ id: connectionId, status: 'ACTIVE' });
    expect(Date.parse(connection.configuration.lastCheckedAt)).toBeGreaterThan(Date.now() - 10_000);
    expect(Date.parse(result.checkedAt)).toBeGreaterThan(Date.now() - 10_000);
  });

  it('that the merchant uninstalled returns REVOKED: events are held, and sent when it is linked again', async () => {
    const { client, account, connectionId } = await linked();
    const notices = await noticesOf(client);
    klaviyo.klaviyo.uninstall(account.id);
    const { result, connection } = await check(client, connectionId);
    expect(result).toMatchObject({ outcome: 'REVOKED', message: expect.stringContaining('connect again') });
    expect(connection).toMatchObject({
      status: 'REAUTHORIZATION_REQUIRED',
      statusReason: expect.stringContaining('no longer accepts the grant'),
      statusReasonCode: 'GRANT_LOST',
    });
    expect(await notices()).toMatchObject([{ type: 'connections.reauthorization.required' }]);
    const event = await publish(client, { recipient: { email: 'anna@example.com' } });
    await waitForDelivery(client, event, 'HELD');

    // A call within seconds returns the same result. A later one finds no grant.
    await one.sql("update credentials set check_leased_until = now() + interval '1 minute' where connection_id = ?", [
      connectionId,
    ]);
    expect((await check(client, connectionId)).result.outcome).toBe('REVOKED');
    await later(connectionId);
    expect((await check(client, connectionId)).result).toMatchObject({ outcome: 'NOT_AUTHORIZED' });
    await connectKlaviyo(client, account.id, connectionId);
    await waitForDelivery(client, event, 'DELIVERED');
    expect((await check(client, connectionId)).result.outcome).toBe('HEALTHY');
  });

  it('detects a revoked refresh token, even while the access token is valid', async () => {
    const { client, account, connectionId } = await linked();
    klaviyo.klaviyo.revokeGrant(account.id);
    expect((await check(client, connectionId)).result.outcome).toBe('REVOKED');
  });

  it('whose grant belongs to another account holds its events, notifies once, and lets the merchant choose', async () => {
    const { client, account, connectionId } = await linked();
    const notices = await noticesOf(client);
    const other = klaviyo.klaviyo.addAccount({ name: 'Somebody else' });
    klaviyo.klaviyo.moveGrants(account.id, other.id);
    const { result, connection } = await check(client, connectionId);
    expect(result).toMatchObject({ outcome: 'ACCOUNT_CHANGED', account: { id: other.id, name: 'Somebody else' } });
    expect(connection).toMatchObject({
      ...{ status: 'REAUTHORIZATION_REQUIRED', statusReason: expect.stringContaining(account.name) },
      statusReasonCode: 'ACCOUNT_CHANGED',
    });
    expect(await notices()).toMatchObject([
      { type: 'connections.reauthorization.required' },
      {
        type: 'connections.account.changed',
        data: {
          expected_account: { id: account.id, name: account.name },
          found_account: { id: other.id, name: 'Somebody else' },
          connection: { id: connectionId, status: 'reauthorization_required' },
        },
      },
    ]);
    const event = await publish(client, { recipient: { email: 'anna@example.com' } });
    await waitForDelivery(client, event, 'HELD');
    await connectKlaviyo(client, account.id, connectionId);
    await waitForDelivery(client, event, 'DELIVERED');
    expect(klaviyo.klaviyo.eventTotals(other.id).recorded).toBe(0);
    expect(await notices()).toHaveLength(2);
  }, 30_000);

  it('does not take a single different response for another account', async () => {
    const { client, account, connectionId } = await linked();
    const other = klaviyo.klaviyo.addAccount({ name: 'A slip' });
    klaviyo.klaviyo.moveGrants(account.id, other.id);
    const asked = check(client, connectionId);
    await eventually(() => expect(klaviyo.proxy.exchanges.at(-1)?.responseBody).toContain('A slip'));
    klaviyo.klaviyo.moveGrants(other.id, account.id);
    expect(await asked).toMatchObject({ result: { outcome: 'UNREACHABLE' }, connection: { status: 'ACTIVE' } });
  });

  it('whose grant lost events:write needs the merchant when it has a subscription', async () => {
    const { client, account, connectionId } = await linked();
    const notices = await noticesOf(client);
    klaviyo.klaviyo.withdrawScopes(account.id, ['events:write']);
    const { result, connection } = await check(client, connectionId);
    expect(result).toMatchObject({ outcome: 'SCOPES_MISSING', missingScopes: ['events:write'], account: { id: account.id } });
    expect(connection).toMatchObject({
      ...{ status: 'REAUTHORIZATION_REQUIRED', statusReason: expect.stringContaining('events:write') },
      statusReasonCode: 'SCOPE_MISSING',
      configuration: { missingScopes: ['events:write'] },
    });
    expect((await notices()).map(({ type }) => type)).toEqual([
      'connections.reauthorization.required',
      'connections.scopes.missing',
    ]);
    await later(connectionId);
    expect((await check(client, connectionId)).result.outcome).toBe('SCOPES_MISSING');
    expect(await notices()).toHaveLength(2);
  });

  it('whose grant lost another scope only notifies, once for each change', async () => {
    const { client, account, connectionId } = await linked({ subscribed: false });
    const notices = await noticesOf(client);
    const told = async () => (await notices()).map(({ type, data }) => [type, data.missing_scopes]);
    klaviyo.klaviyo.withdrawScopes(account.id, ['events:write']);
    const { result, connection } = await check(client, connectionId);
    expect(result).toMatchObject({ outcome: 'SCOPES_MISSING', missingScopes: ['events:write'] });
    expect(connection).toMatchObject({ status: 'ACTIVE', statusReason: null });
    for (let day = 0; day < 2; day += 1) {
      await later(connectionId);
      await check(client, connectionId);
    }
    expect(await told()).toEqual([['connections.scopes.missing', ['events:write']]]);

    // Without this scope, Klaviyo does not return the account.
    klaviyo.klaviyo.withdrawScopes(account.id, ['accounts:read']);
    await later(connectionId);
    expect((await check(client, connectionId)).result).toMatchObject({
      ...{ outcome: 'SCOPES_MISSING', account: null },
      missingScopes: expect.arrayContaining(['accounts:read', 'events:write']),
    });
    expect(await told()).toHaveLength(2);
  }, 30_000);

  it.each<[string, FaultOrder]>([
    ['no answer at the token endpoint', { kind: 'reset', target: 'token' }],
    ['an outage at the token endpoint', { kind: 'server_error', target: 'token' }],
    ['a page in the place of tokens', { kind: 'bad_gateway_html', target: 'token' }],
    ['a limit at the token endpoint', { kind: 'throttle', target: 'token', seconds: 30 }],
    ['our own secret being refused', { kind: 'invalid_client', target: 'token' }],
    ['an outage of the API', { kind: 'unavailable', target: 'api' }],
    ['a page from the edge', { kind: 'edge_challenge', target: 'api' }],
    ['a limit of the API', { kind: 'throttle', target: 'api', seconds: 30 }],
    ['a body of 10 MB', { kind: 'big_body', target: 'api' }],
    ['a reset of the API', { kind: 'reset', target: 'api' }],
    ['a new token that the API refuses', { kind: 'unauthorized', target: 'api' }],
  ])(
    'changes nothing after %s, and returns UNREACHABLE',
    async (_what, order) => {
      const { client, connectionId } = await linked();
      const notices = await noticesOf(client);
      klaviyo.klaviyo.inject(order);
      const { result, connection } = await check(client, connectionId);
      expect(result).toMatchObject({ outcome: 'UNREACHABLE', message: expect.stringContaining('nothing was changed') });
      expect(connection).toMatchObject({
        ...{ status: 'ACTIVE', statusReason: null },
        configuration: { lastCheckedAt: null, missingScopes: [] },
      });
      expect(await notices()).toEqual([]);
      klaviyo.klaviyo.clearFaults();
      await later(connectionId);
      expect((await check(client, connectionId)).result.outcome).toBe('HEALTHY');
    },
    30_000,
  );

  it('reports no missing scope when Klaviyo lists none', async () => {
    const { client, connectionId } = await linked();
    klaviyo.proxy.rewrite = (body) => body.replace(/"scope":"[^"]*"/, '"scope":""');
    const { result, connection } = await check(client, connectionId).finally(() => (klaviyo.proxy.rewrite = null));
    expect([result.outcome, connection.status]).toEqual(['HEALTHY', 'ACTIVE']);
  });

  it('that nobody has authorized has no grant to check', async () => {
    const client = await one.anotherOrganization();
    const id = await createKlaviyoConnection(client);
    expect(await check(client, id)).toMatchObject({
      result: { outcome: 'NOT_AUTHORIZED', account: null },
      connection: { status: 'PENDING_AUTHORIZATION' },
    });
    const { connectionId, client: other } = await linked();
    await check(other, connectionId);
    await other.query('mutation ($id: ID!) { revokeAuthorization(input: { connectionId: $id }) { userErrors { code } } }', {
      id: connectionId,
    });
    expect((await check(other, connectionId)).result.outcome).toBe('NOT_AUTHORIZED');
  });

  it('says that the operator must act when Klaviyo refuses our own credentials, also during the pause before the next try', async () => {
    const { client, connectionId } = await linked();
    await later(connectionId);
    klaviyo.klaviyo.inject({ kind: 'invalid_client', target: 'token', count: 1 });
    const operator = "Klaviyo refused this server's own credentials. The operator of this server has to mend it.";
    const first = (await check(client, connectionId)).result;
    expect(first).toMatchObject({ outcome: 'UNREACHABLE', message: expect.stringContaining(operator) });
    expect(first.message).not.toContain('invalid_client');
    // The stored result is too old, the pause of a minute is not over.
    await one.sql('update credentials set check_leased_until = null where connection_id = ?', [connectionId]);
    expect((await check(client, connectionId)).result).toMatchObject({
      outcome: 'UNREACHABLE',
      message: expect.stringContaining(operator),
    });
  });

  it('of a webhook refers to broadcastTestEvent', async () => {
    const client = await one.anotherOrganization();
    expect(await check(client, await createWebhookConnection(client))).toMatchObject({
      ...{ result: null, connection: null },
      userErrors: [{ code: 'INVALID', path: ['connectionId'], message: expect.stringContaining('broadcastTestEvent') }],
    });
  });

  it('asks Klaviyo once for many clicks at two servers, and returns the same result to all', async () => {
    const { client, connectionId } = await linked();
    const elsewhere = new GraphQLClient(`${two.ownUrl}/graphql`, client.keys);
    // The connection was linked in an earlier second of Klaviyo's rate limit.
    await sleep(1_100);
    klaviyo.klaviyo.resetCounters();
    // All calls arrive while the first one waits for Klaviyo.
    klaviyo.klaviyo.inject({ kind: 'slow', target: 'api', count: 1, seconds: 3 });
    const answers = await Promise.all(
      Array.from({ length: 24 }, (_, index) => check(index % 2 ? client : elsewhere, connectionId)),
    );
    expect(klaviyo.klaviyo.counters).toMatchObject({ refreshRequests: 1, accountRequests: 1 });
    for (const { result } of answers) expect(result).toEqual(answers[0].result);
    expect(answers[0].result.outcome).toBe('HEALTHY');
  });

  it('sends a live update with the result', async () => {
    const { client, account, connectionId } = await linked();
    const live = LiveClient.of(client);
    const { seen } = live.watch('subscription ($id: ID) { connectionUpdated(id: $id) { status } }', { id: connectionId });
    await eventually(async () =>
      expect(await one.sql('select 1 from live_watchers where organization_id = ?', [client.keys.organizationId])).toHaveLength(
        1,
      ),
    );
    klaviyo.klaviyo.uninstall(account.id);
    await check(client, connectionId);
    await eventually(() => expect(seen.at(-1)).toEqual({ data: { connectionUpdated: { status: 'REAUTHORIZATION_REQUIRED' } } }));
    await live.close();
  });
});

describe('Once a day', () => {
  /** Creates the dependencies of a worker's round. Two of them stand for two processes. */
  function roundDependencies(): CheckDependencies & { readonly lines: LogLine[] } {
    const environment = klaviyo.environmentFor(one.ownUrl) as Record<string, string>;
    const provider = new KlaviyoOAuth({
      clientId: environment.KLAVIYO_CLIENT_ID as string,
      clientSecret: environment.KLAVIYO_CLIENT_SECRET as string,
      authorizeUrl: environment.KLAVIYO_AUTHORIZE_URL as string,
      apiUrl: environment.KLAVIYO_API_URL as string,
      redirectUri: `${one.ownUrl}/oauth/klaviyo/callback`,
      revision: '2026-07-15',
      defaultScopes: [],
      sandbox: true,
      fetch: createBoundedFetch({ timeoutMs: 2_000, maxBodyBytes: 65_536 }),
    });
    const { database } = one;
    const notices = connectionNotices({
      ...{ database, cipher: testCipher, insertDeliveries, deliverySignal: { notify() {} } },
      eventTypes: createEventTypeRegistry(eventTypes),
    });
    return {
      ...{ database, cipher: testCipher, notices, now: Date.now, ...recordLog() },
      providers: new Map([[provider.id, provider]]),
      revocations: { add: async () => {} },
      declareGrantLost: (credential, reason) => declareGrantLost({ database, notices }, credential, reason),
    };
  }
  const due = (...ids: string[]) =>
    one.sql(
      `update credentials set next_check_at = case when connection_id = any('{${ids.join(',')}}') then now() else now() + interval '1 day' end`,
    );

  it('every active connection is checked, by one process at a time, and a lost grant is found without any event', async () => {
    const shopsOfToday = await Promise.all(Array.from({ length: 8 }, () => linked()));
    const ids = shopsOfToday.map(({ connectionId }) => connectionId);
    const [lost, off, ...others] = shopsOfToday as [(typeof shopsOfToday)[0], (typeof shopsOfToday)[0], ...typeof shopsOfToday];
    klaviyo.klaviyo.uninstall(lost.account.id);
    const notices = await noticesOf(lost.client);
    await off.client.query(
      'mutation ($id: ID!) { updateConnection(input: { id: $id, isEnabled: false }) { userErrors { code } } }',
      { id: off.connectionId },
    );
    await due(...ids);
    klaviyo.klaviyo.resetCounters();
    const rounds = [roundDependencies(), roundDependencies()];
    const counts = await Promise.all(rounds.map((round) => checkDueConnections(round)));
    expect(counts.reduce((sum, count) => sum + count)).toBe(7);
    expect(klaviyo.klaviyo.counters).toMatchObject({ refreshRequests: 7 });
    expect(await seeConnection(lost.client, lost.connectionId)).toMatchObject({ status: 'REAUTHORIZATION_REQUIRED' });
    expect(await notices()).toMatchObject([{ type: 'connections.reauthorization.required' }]);
    for (const { client, connectionId } of others) {
      expect(await seeConnection(client, connectionId)).toMatchObject({ status: 'ACTIVE' });
      expect((await seeLastChecked(client, connectionId)).lastCheckedAt).not.toBeNull();
    }
    // The operator sees it in the log and in the metric.
    expect(rounds.flatMap(({ lines }) => lines)).toContainEqual(
      expect.objectContaining({ level: 'warn', connectionId: Number(lost.connectionId), outcome: 'revoked' }),
    );
    const metrics = await (await fetch(`${one.ownUrl}/metrics`)).text();
    expect(metrics).toMatch(/switchboard_connection_checks\{outcome="revoked"\} [1-9]/);
    // No connection is due again before the next day.
    expect(await checkDueConnections(roundDependencies())).toBe(0);
    const next = await one.sql('select next_check_at from credentials where connection_id = ?', [others[0]?.connectionId]);
    expect(Date.parse(next[0].next_check_at) - Date.now()).toBeGreaterThan(21 * 3_600_000);
  }, 60_000);

  it('an outage is not a result, and the check is repeated an hour later', async () => {
    const { client, connectionId } = await linked();
    await due(connectionId);
    klaviyo.klaviyo.inject({ kind: 'unavailable' });
    expect(await checkDueConnections(roundDependencies())).toBe(1);
    expect(await seeConnection(client, connectionId)).toMatchObject({ status: 'ACTIVE', statusReason: null });
    const [{ next_check_at: next }] = await one.sql('select next_check_at from credentials where connection_id = ?', [
      connectionId,
    ]);
    expect(Date.parse(next) - Date.now()).toBeLessThan(61 * 60_000);
  });

  it('a new grant is due within a day', async () => {
    const { connectionId } = await linked();
    const [{ next_check_at: next }] = await one.sql('select next_check_at from credentials where connection_id = ?', [
      connectionId,
    ]);
    expect(Date.parse(next) - Date.now()).toBeLessThanOrEqual(24 * 3_600_000);
  });
});

async function seeLastChecked(client: GraphQLClient, id: string): Promise<{ lastCheckedAt: string | null }> {
  const { connection } = await client.query(
    'query ($id: ID!) { connection(id: $id) { configuration { ... on KlaviyoConfiguration { lastCheckedAt } } } }',
    { id },
  );
  return connection.configuration;
}
