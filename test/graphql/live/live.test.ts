import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import type { GraphQLClient } from '../../support/GraphQLClient.js';
import { createKlaviyoConnection, decideAtKlaviyo, startKlaviyoAuthorization } from '../../support/klaviyoFlow.js';
import { openCallback } from '../../support/openCallback.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { createWebhookConnection, parcelEvent, publish, subscribe, tryPublish } from '../../support/webhookFlow.js';
import { LiveClient } from './support/LiveClient.js';

const CONNECTION = 'subscription ($id: ID) { connectionUpdated(id: $id) { id name status authorization { status } } }';
const DELIVERY =
  'subscription ($id: ID) { deliveryUpdated(connectionId: $id) { id status attempts { statusCode } event { id } } }';

let api: TestSwitchboard;
let worker: TestSwitchboard;
const open: LiveClient[] = [];
beforeAll(async () => {
  api = await startSwitchboard({ ROLE: 'api' });
  worker = await startSwitchboard({ ROLE: 'worker' }, api.testDatabase);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.close()));
  // Otherwise the next test could take this test's registration for its own, and change something too early.
  await api.sql('delete from live_watchers');
});
afterAll(async () => {
  await worker.close();
  await api.close();
});

function live(client: GraphQLClient = api.client, options?: { retryAttempts?: number }): LiveClient {
  const opened = LiveClient.of(client, options);
  open.push(opened);
  return opened;
}

const watchers = async (): Promise<number> => Number((await api.sql('select count(*) from live_watchers'))[0].count);
/** Resolves when the watch is registered, so that further changes are received. */
const watched = (client: GraphQLClient) =>
  eventually(async () => {
    const rows = await api.sql('select 1 from live_watchers where organization_id = ?', [client.keys.organizationId]);
    expect(rows).toHaveLength(1);
  });
const statuses = (seen: { data: Record<string, { status: string }> }[]) => seen.map(({ data }) => Object.values(data)[0]?.status);

describe('A frontend that watches', () => {
  it('sees a connection become ACTIVE when the merchant allows, without polling', async () => {
    const id = await createKlaviyoConnection(api.client);
    const { seen } = live().watch(CONNECTION, { id });
    await watched(api.client);
    const url = await startKlaviyoAuthorization(api.client, id);
    // This waits for the update, because the next change could be merged with it.
    await eventually(() =>
      expect(seen[0].data.connectionUpdated).toMatchObject({
        status: 'PENDING_AUTHORIZATION',
        authorization: { status: 'PENDING' },
      }),
    );
    const callback = await decideAtKlaviyo(url);
    await openCallback(callback);
    await eventually(() => {
      expect(seen.at(-1)).toEqual({
        data: { connectionUpdated: { id, name: null, status: 'ACTIVE', authorization: { status: 'COMPLETED' } } },
      });
    });
  });

  it('sees the results of a delivery that another process makes', async () => {
    const connection = await createWebhookConnection(api.client, `${api.publicUrl}/sandbox/inbox/live`);
    await subscribe(api.client, connection);
    const { seen } = live().watch(DELIVERY, { id: connection });
    await watched(api.client);
    const event = await publish(api.client);
    await eventually(() => expect(statuses(seen).at(-1)).toBe('DELIVERED'));
    expect(seen.at(-1).data.deliveryUpdated).toMatchObject({ attempts: [{ statusCode: 200 }], event: { id: event } });
  });

  it('sees all of hundreds of concurrent deliveries', async () => {
    const connection = await createWebhookConnection(api.client, `${api.publicUrl}/sandbox/inbox/hundreds`);
    await subscribe(api.client, connection);
    const { seen } = live().watch('subscription ($id: ID) { deliveryUpdated(connectionId: $id) { id status } }', {
      id: connection,
    });
    await watched(api.client);
    const events = Array.from({ length: 400 }, (_, index) => ({
      eventType: 'parcels.event.created',
      data: parcelEvent(index),
    }));
    await api.client.query('mutation ($input: PublishEventsInput!) { publishEvents(input: $input) { userErrors { message } } }', {
      input: { events },
    });
    await eventually(
      () => {
        const last = new Map(seen.map(({ data: { deliveryUpdated: delivery } }) => [delivery.id, delivery.status]));
        expect(last.size).toBe(400);
        expect(new Set(last.values())).toEqual(new Set(['DELIVERED']));
      },
      { withinMs: 20_000 },
    );
  });

  it('sees one connection only, when it watches one', async () => {
    const [one, other] = [await createWebhookConnection(api.client), await createWebhookConnection(api.client)];
    const { seen } = live().watch(CONNECTION, { id: one });
    await watched(api.client);
    const rename =
      'mutation ($id: ID!, $name: String!) { updateConnection(input: { id: $id, name: $name }) { connection { id } } }';
    await api.client.query(rename, { id: other, name: 'other' });
    await api.client.query(rename, { id: one, name: 'one' });
    await eventually(() => expect(seen).toMatchObject([{ data: { connectionUpdated: { id: one, name: 'one' } } }]));
  });

  it('sees nothing of another organization', async () => {
    const stranger = await api.anotherOrganization();
    const [mine, theirs] = [live().watch(CONNECTION), live(stranger).watch(CONNECTION)];
    await Promise.all([watched(api.client), watched(stranger)]);
    const [own, foreign] = [await createWebhookConnection(api.client), await createWebhookConnection(stranger)];
    await eventually(() => {
      expect(mine.seen.map(({ data }) => data.connectionUpdated.id)).toEqual([own]);
      expect(theirs.seen.map(({ data }) => data.connectionUpdated.id)).toEqual([foreign]);
    });
  });

  it('leaves nothing behind when it closes, and without watchers the database sends no notifications', async () => {
    const connection = await createWebhookConnection(api.client);
    await subscribe(api.client, connection);
    const watching = live().watch(DELIVERY, { id: connection });
    await watched(api.client);
    watching.stop();
    expect(await watching.ended).toBe('complete');
    await api.sql('delete from live_watchers');
    const sent = await tryPublish(api.client, {});
    expect(sent.userErrors).toEqual([]);
    expect(watching.seen).toEqual([]);
    expect(await watchers()).toBe(0);
  });
});

describe('Over the websocket', () => {
  it('queries and mutations are answered, too', async () => {
    const client = live();
    const asked = client.watch('{ organization { name } }');
    await asked.ended;
    expect(asked.seen).toEqual([{ data: { organization: { name: 'Acme' } } }]);
    const made = client.watch(
      'mutation { createConnection(input: { type: WEBHOOK, webhook: { url: "https://example.com/hook" } }) { connection { status } userErrors { code } } }',
    );
    await made.ended;
    expect(made.seen).toEqual([{ data: { createConnection: { connection: { status: 'ACTIVE' }, userErrors: [] } } }]);
  });

  it('an authorization cannot be bound to the browser, since no cookie can be set', async () => {
    const connectionId = await createKlaviyoConnection(api.client);
    const started = live().watch(
      'mutation ($id: ID!) { startAuthorization(input: { connectionId: $id, bindToBrowser: true }) { authorizationUrl userErrors { code path } } }',
      { id: connectionId },
    );
    await started.ended;
    expect(started.seen[0].data.startAuthorization).toEqual({
      authorizationUrl: null,
      userErrors: [{ code: 'INVALID', path: ['bindToBrowser'] }],
    });
  });

  const nested = (depth: number): string =>
    depth === 0 ? '{ id }' : `{ id subscriptions { edges { node { connection ${nested(depth - 1)} } } } }`;

  it.each([
    ['a syntax error', 'subscription {', 'GRAPHQL_PARSE_FAILED'],
    ['an unknown field', 'subscription { everything }', 'GRAPHQL_VALIDATION_FAILED'],
    ['two fields at once', 'subscription { connectionUpdated { id } deliveryUpdated { id } }', 'GRAPHQL_VALIDATION_FAILED'],
    ['one nested too deep', `subscription { connectionUpdated ${nested(6)} }`, 'GRAPHQL_VALIDATION_FAILED'],
    ['one of too many tokens', `{ ${'organization { id } '.repeat(400)} }`, 'GRAPHQL_PARSE_FAILED'],
    ["somebody else's id", 'subscription { connectionUpdated(id: "987654") { id } }', 'NOT_FOUND'],
    ['a variable of the wrong type', 'query ($first: Int!) { connections(first: $first) { totalCount } }', 'BAD_USER_INPUT'],
  ])('%s is told with its code, and the socket stays', async (_case, query, code) => {
    const client = live();
    const { seen, ended } = client.watch(query, { first: 'many' });
    const end = await ended;
    const [error] = (Array.isArray(end) ? end : seen[0].errors) as { extensions: Record<string, unknown> }[];
    expect(error?.extensions.code).toBe(code);
    expect(error?.extensions).not.toHaveProperty('http');
    const next = client.watch('{ organization { name } }');
    expect(await next.ended).toBe('complete');
    // The client closes the socket when nothing is left to do, not the server.
    expect(client.closes.filter((code) => code !== 1000)).toEqual([]);
  });
});
