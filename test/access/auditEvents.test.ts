import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deleteOldAuditEvents } from '../../src/database/auditLog.js';
import { LiveClient } from '../graphql/live/support/LiveClient.js';
import { RestClient } from '../http/rest/support/RestClient.js';
import { approvedAttempt } from '../support/approvedAttempt.js';
import { GraphQLClient } from '../support/GraphQLClient.js';
import { openCallback } from '../support/openCallback.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createWebhookConnection, publish, seeDeliveries, subscribe } from '../support/webhookFlow.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
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
  it('tell who did what, from where, with what changed before and after', async () => {
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

  it('are of each thing that was done, by GraphQL, REST or a websocket', async () => {
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

  it('tell of a merchant who comes back from the provider', async () => {
    const { connectionId, callback, account } = await approvedAttempt(switchboard);
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

  it('are not written for what is refused', async () => {
    const before = (await see()).length;
    const { deleteSubscription } = await switchboard.client.query(
      'mutation { deleteSubscription(input: { id: "987654" }) { userErrors { code } } }',
    );
    expect(deleteSubscription.userErrors).toEqual([{ code: 'NOT_FOUND' }]);
    expect(await see()).toHaveLength(before);
  });

  it('are seen by keys with the scope admin of the same organization', async () => {
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
