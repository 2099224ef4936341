import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deleteOldAuditEvents } from '../../src/database/auditLog.js';
import { LiveClient } from '../graphql/live/support/LiveClient.js';
import { RestClient } from '../http/rest/support/RestClient.js';
import { decideAuthorization } from '../support/decideAuthorization.js';
import { GraphQLClient } from '../support/GraphQLClient.js';
import { openCallback } from '../support/openCallback.js';
import { Platform } from '../support/Platform.js';
import { makeSession } from '../support/sessionFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createWebhookConnection, publish, seeDeliveries, subscribe } from '../support/webhookFlow.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  // No worker runs, so an erasure that was requested stays visible.
  switchboard = await startSwitchboard({ ROLE: 'api' });
});
afterAll(() => switchboard.close());

interface Line {
  readonly id: string;
  readonly action: string;
  readonly before: Record<string, unknown> | null;
  readonly after: Record<string, unknown> | null;
}

const LOG = `query ($filter: AuditEventFilter) { auditEvents(first: 100, filter: $filter) { totalCount edges { node {
  id action actorType actorId address subjectType subjectId before after createdAt
} } } }`;

async function see(filter: object = {}, client = switchboard.client): Promise<Line[]> {
  const { auditEvents } = await client.query(LOG, { filter });
  return auditEvents.edges.map(({ node }: { node: Line }) => node);
}

describe('auditEvents', () => {
  it('say who did what, from which address, with the values before and after', async () => {
    const { client } = switchboard;
    const connection = await createWebhookConnection(client);
    const id = await subscribe(client, connection);
    await client.query(
      'mutation ($id: ID!) { updateSubscription(input: { id: $id, isActive: false }) { userErrors { code } } }',
      { id },
    );
    await client.query(
      'mutation ($id: ID!) { updateSubscription(input: { id: $id, isActive: false }) { userErrors { code } } }',
      { id },
    );
    await client.query('mutation ($id: ID!) { deleteSubscription(input: { id: $id }) { userErrors { code } } }', { id });
    const eventType = 'parcels.event.created';
    const [key] = await switchboard.sql('select id::text from api_keys where public_key = ?', [client.keys.publicKey]);
    const line = { actorType: 'API_KEY', actorId: key.id, address: '127.0.0.1', subjectType: 'SUBSCRIPTION', subjectId: id };
    expect(await see({ subjectType: 'SUBSCRIPTION', subjectId: id })).toMatchObject([
      { ...line, action: 'SUBSCRIPTION_DELETED', before: { connectionId: connection, eventType, isActive: false }, after: null },
      { ...line, action: 'SUBSCRIPTION_UPDATED', before: { isActive: true }, after: { isActive: false } },
      { ...line, action: 'SUBSCRIPTION_CREATED', before: null, after: { connectionId: connection, eventType, isActive: true } },
    ]);
  });

  it('record every change, by GraphQL, REST or a websocket', async () => {
    const { client } = switchboard;
    const connection = await createWebhookConnection(client, `${switchboard.publicUrl}/nowhere`);
    const subscription = await subscribe(client, connection);
    const run = (query: string, variables: object) => client.query(`mutation ($id: ID!) { ${query} }`, variables);
    await run('revealSigningSecret(input: { connectionId: $id }) { userErrors { code } }', { id: connection });
    const live = LiveClient.of(client);
    await live.watch(`mutation { rotateSigningSecret(input: { connectionId: "${connection}" }) { userErrors { code } } }`).ended;
    await live.close();
    await run('broadcastTestEvent(input: { subscriptionId: $id }) { userErrors { code } }', { id: subscription });
    const event = await publish(client);
    const [delivery] = (await seeDeliveries(client, { eventId: event })) as { id: string }[];
    await switchboard.sql("update deliveries set status = 'failed', leased_until = null where id = ?", [delivery?.id]);
    await run('retryDelivery(input: { deliveryId: $id }) { userErrors { code } }', { id: delivery?.id });
    await run('replayDeliveries(input: { connectionId: $id, since: "2020-01-01T00:00:00Z" }) { userErrors { code } }', {
      id: connection,
    });
    const { createApiKey } = await client.query(
      'mutation { createApiKey(input: { name: "Spare", scopes: [READ] }) { apiKey { id } secretKey userErrors { code } } }',
    );
    await run('revokeApiKey(input: { id: $id }) { userErrors { code } }', { id: createApiKey.apiKey.id });
    const rest = new RestClient(switchboard.publicUrl, client.authorization);
    expect(await rest.send('DELETE', `/subscriptions/${subscription}`)).toMatchObject({ status: 204 });
    const actions = (await see()).map(({ action }) => action);
    expect(actions).toEqual(
      expect.arrayContaining([
        ...['SIGNING_SECRET_REVEALED', 'SIGNING_SECRET_ROTATED', 'TEST_EVENT_BROADCAST', 'DELIVERY_RETRIED'],
        ...['DELIVERIES_REPLAYED', 'API_KEY_CREATED', 'API_KEY_REVOKED', 'SUBSCRIPTION_DELETED'],
      ]),
    );
    expect(JSON.stringify(await see())).not.toMatch(new RegExp(`whsec_|${createApiKey.secretKey}|sk_`));
  });

  it("contain a connection's visible fields, and of its secrets only that they were replaced", async () => {
    const { client } = switchboard;
    const run = async (mutation: string, input: object) =>
      client.query(
        `mutation ($input: ${mutation[0]?.toUpperCase()}${mutation.slice(1)}Input!) {
        ${mutation}(input: $input) { userErrors { code message } } }`,
        { input },
      );
    const webhook = { url: 'https://example.com/a', authType: 'BEARER', authConfig: { token: 'TOKEN-ONE' } };
    const { createConnection } = await client.query(
      `mutation ($webhook: WebhookConfigurationInput!) { createConnection(input: {
        type: WEBHOOK, name: "Shop", externalId: "shop-1", metadata: { plan: "pro" }, maxPerSecond: 5, webhook: $webhook
      }) { connection { id } userErrors { code } } }`,
      { webhook },
    );
    const { id } = createConnection.connection;
    await run('updateConnection', { id, name: 'Store', metadata: { plan: 'free' }, maxPerSecond: null });
    await run('updateConnection', { id, name: 'Store', externalId: 'shop-1', webhook: { authConfig: { token: 'TOKEN-ONE' } } });
    await run('updateConnection', { id, webhook: { authConfig: { token: 'TOKEN-TWO' } } });
    const extraHeaders = (value: string) => ({ id, webhook: { extraHeaders: [{ name: 'X-Key', value }] } });
    await run('updateConnection', extraHeaders('HEADER-ONE'));
    await run('updateConnection', extraHeaders('HEADER-TWO'));
    expect(JSON.stringify(await see())).not.toMatch(/HEADER-|TOKEN-/);
    await run('updateConnection', { id, isEnabled: false, webhook: { url: 'https://example.com/b' } });
    await run('deleteConnection', { id });
    const lines = await see({ subjectType: 'CONNECTION', subjectId: id });
    const made = {
      ...{ type: 'webhook', name: 'Shop', status: 'active', externalId: 'shop-1', metadata: { plan: 'pro' } },
      ...{ maxConcurrency: null, maxPerSecond: 5 },
      configuration: { url: 'https://example.com/a', authType: 'bearer', extraHeaders: [] as object[] },
    };
    const withHeader = { ...made.configuration, extraHeaders: [{ name: 'X-Key' }] };
    const now = { ...made, name: 'Store', metadata: { plan: 'free' }, maxPerSecond: null };
    const configuration = { ...withHeader, url: 'https://example.com/b' };
    const tell = (action: string, before: object | null, after: object | null) => ({ action, before, after });
    expect(lines.map(({ action, before, after }) => tell(action, before, after))).toEqual([
      tell('CONNECTION_DELETED', { ...now, status: 'disabled', configuration }, null),
      tell('CONNECTION_UPDATED', { status: 'active', configuration: withHeader }, { status: 'disabled', configuration }),
      tell('CONNECTION_UPDATED', { secrets: null }, { secrets: 'replaced' }),
      tell('CONNECTION_UPDATED', { configuration: made.configuration }, { configuration: withHeader }),
      tell('CONNECTION_UPDATED', { secrets: null }, { secrets: 'replaced' }),
      tell(
        'CONNECTION_UPDATED',
        { name: 'Shop', metadata: { plan: 'pro' }, maxPerSecond: 5 },
        { name: 'Store', metadata: { plan: 'free' }, maxPerSecond: null },
      ),
      tell('CONNECTION_CREATED', null, made),
    ]);
    expect(JSON.stringify(lines)).not.toContain('TOKEN-');
  });

  it("contain a session's creator and permissions, never its token", async () => {
    const { client } = switchboard;
    const input = { permissions: ['MANAGE', 'VIEW'], origin: 'https://app.example.com' };
    const session = await makeSession(client, input);
    const connection = await createWebhookConnection(client);
    const rename = 'mutation ($id: ID!) { updateConnection(input: { id: $id, name: "By hand" }) { userErrors { code } } }';
    await session.send(rename, { id: connection });
    const end = 'mutation ($id: ID!) { endSession(input: { id: $id }) { userErrors { code } } }';
    for (const _twice of [1, 2]) await client.query(end, { id: session.id });
    const facts = { permissions: ['view', 'manage'], connectionId: null, origin: input.origin };
    expect(await see({ subjectType: 'SESSION', subjectId: session.id })).toMatchObject([
      { action: 'SESSION_ENDED', actorType: 'API_KEY', before: facts, after: null },
      { action: 'SESSION_CREATED', actorType: 'API_KEY', before: null, after: facts },
    ]);
    expect((await see({ subjectType: 'CONNECTION', subjectId: connection }))[0]).toMatchObject({
      ...{ action: 'CONNECTION_UPDATED', actorType: 'SESSION', actorId: session.id, after: { name: 'By hand' } },
    });
    expect(JSON.stringify(await see())).not.toContain(session.token);
  });

  it('record a platform that creates, updates and deletes an organization, and acts for it', async () => {
    const platform = await Platform.of(switchboard);
    await platform.upsert({ externalId: 'shop-7', metadata: { plan: 'pro' } });
    for (const _twice of [1, 2]) await platform.upsert({ externalId: 'shop-7', name: 'Shop seven' });
    await Promise.all(['x', 'x', 'x'].map((name) => platform.upsert({ externalId: 'shop-7', metadata: { name } })));
    const acting = platform.actingFor('shop-7');
    const connection = await createWebhookConnection(acting);
    const [key] = await switchboard.sql('select id::text from api_keys where public_key = ?', [platform.keys.publicKey]);
    const by = { actorType: 'PLATFORM_KEY', actorId: key.id, address: '127.0.0.1' };
    const { organization } = await acting.query('{ organization { id } }');
    const made = { name: 'shop-7', externalId: 'shop-7', metadata: { plan: 'pro' } };
    expect(await see({}, acting)).toMatchObject([
      { ...by, action: 'CONNECTION_CREATED', subjectId: connection },
      { ...by, action: 'ORGANIZATION_UPDATED', before: { metadata: { plan: 'pro' } }, after: { metadata: { name: 'x' } } },
      { ...by, action: 'ORGANIZATION_UPDATED', before: { name: 'shop-7' }, after: { name: 'Shop seven' } },
      { ...by, action: 'ORGANIZATION_CREATED', subjectType: 'ORGANIZATION', subjectId: organization.id, after: made },
    ]);
    const remove = 'mutation { deleteOrganization(input: { externalId: "shop-7" }) { userErrors { code } } }';
    for (const _twice of [1, 2]) await platform.query(remove);
    const requested = await switchboard.sql(
      "select actor_type, before from audit_events where organization_id = ? and action = 'organization_deletion_requested'",
      [organization.id],
    );
    expect(requested).toEqual([{ actor_type: 'platform_key', before: { name: 'Shop seven', externalId: 'shop-7' } }]);
  });

  it("record that a person is to be erased, without the person's identity", async () => {
    const { client } = switchboard;
    const erase = `mutation { eraseRecipient(input: { email: "jan@example.com", externalId: "customer-99" }) {
      erasure { id } userErrors { code } } }`;
    const { eraseRecipient } = await client.query(erase);
    // While the erasure runs, asking again has no effect.
    await client.query(erase);
    const lines = await see({ action: 'RECIPIENT_ERASURE_REQUESTED' });
    expect(lines).toMatchObject([
      { subjectType: 'RECIPIENT', subjectId: eraseRecipient.erasure.id, after: { identifiers: ['email', 'externalId'] } },
    ]);
    expect(JSON.stringify(await see())).not.toMatch(/jan@example|customer-99/);
  });

  it('record a merchant who comes back from the provider', async () => {
    const { connectionId, callback, account } = await decideAuthorization(switchboard);
    await openCallback(callback);
    await switchboard.client.query(
      'mutation ($id: ID!) { revokeAuthorization(input: { connectionId: $id }) { userErrors { code } } }',
      { id: connectionId },
    );
    const lines = await see({ subjectType: 'CONNECTION', subjectId: connectionId });
    expect(lines.filter(({ action }) => action.startsWith('AUTHORIZATION'))).toMatchObject([
      { action: 'AUTHORIZATION_REVOKED' },
      { action: 'AUTHORIZATION_COMPLETED', actorType: 'MERCHANT', actorId: null, after: { account: account.name } },
      { action: 'AUTHORIZATION_STARTED', actorType: 'API_KEY' },
    ]);
  });

  it('are not written for refused calls', async () => {
    const before = (await see()).length;
    const { deleteSubscription } = await switchboard.client.query(
      'mutation { deleteSubscription(input: { id: "987654" }) { userErrors { code } } }',
    );
    expect(deleteSubscription.userErrors).toEqual([{ code: 'NOT_FOUND' }]);
    expect(await see()).toHaveLength(before);
  });

  it('are visible to keys with the scope admin of the same organization', async () => {
    const stranger = await switchboard.anotherOrganization('Globex');
    expect(await see({}, stranger)).toEqual([]);
    const { createApiKey } = await switchboard.client.query(
      'mutation { createApiKey(input: { scopes: [READ, MANAGE] }) { apiKey { publicKey } secretKey } }',
    );
    const keys = { publicKey: createApiKey.apiKey.publicKey, secretKey: createApiKey.secretKey };
    const reader = new GraphQLClient(switchboard.client.url, keys);
    expect((await reader.send(LOG, {})).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  });

  it('are deleted with the history, and not before', async () => {
    const old = await see({ action: 'API_KEY_CREATED' });
    const { database } = switchboard;
    await switchboard.sql("update audit_events set created_at = now() - interval '31 days' where id = ?", [old[0]?.id]);
    const createdBefore = new Date(Date.now() - 30 * 86_400_000).toISOString();
    expect(await see({ createdBefore })).toHaveLength(1);
    const left = (await see()).length - 1;
    expect(await deleteOldAuditEvents({ database }, 30 * 86_400_000)).toBe(1);
    expect(await see()).toHaveLength(left);
  });
});
