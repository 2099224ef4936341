import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LiveClient } from '../../graphql/live/support/LiveClient.js';
import { eventually } from '../../support/eventually.js';
import type { GraphQLClient } from '../../support/GraphQLClient.js';
import { createKlaviyoConnection } from '../../support/klaviyoFlow.js';
import { Platform } from '../../support/Platform.js';
import { type MadeSession, makeSession } from '../../support/sessionFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { createWebhookConnection, parcelEvent, publish, seeDeliveries, subscribe } from '../../support/webhookFlow.js';
import { idOperations, type Kind, liveIdOperations } from './support/idOperations.js';

type Things = Record<'connection' | 'subscription' | 'delivery' | 'replay', string>;

let switchboard: TestSwitchboard;
let client: GraphQLClient;
let stranger: GraphQLClient;
/** The objects of the session's connection, of another connection of its organization, and of another organization. */
let own: Things;
let beside: Things;
let foreign: Things;
let event: string;
let foreignEvent: string;
/** Sessions with all permissions: for one connection, and for the organization. */
let ofOne: MadeSession;
let ofAll: MadeSession;
beforeAll(async () => {
  // No worker runs, so pending deliveries stay pending.
  switchboard = await startSwitchboard({ ROLE: 'api', SESSION_RATE_LIMIT_PER_MINUTE: '0' });
  client = switchboard.client;
  stranger = await switchboard.anotherOrganization('Globex');
  const [first, second] = [await connect(client), await connect(client)];
  event = await publish(client, {
    data: { ...parcelEvent(), parcel: { ...parcelEvent().parcel, tracking_number: 'SECRET-PAYLOAD' } },
  });
  [own, beside] = [await furnish(client, first, event), await furnish(client, second, event)];
  const third = await connect(stranger);
  foreignEvent = await publish(stranger);
  foreign = await furnish(stranger, third, foreignEvent);
  ofOne = await makeSession(client, { permissions: ['VIEW', 'MANAGE'], connectionId: own.connection });
  ofAll = await makeSession(client, { permissions: ['MANAGE'] });
});
afterAll(() => switchboard.close());

async function connect(owner: GraphQLClient) {
  const connection = await createWebhookConnection(owner);
  return { connection, subscription: await subscribe(owner, connection) };
}

async function furnish(
  owner: GraphQLClient,
  { connection, subscription }: Pick<Things, 'connection' | 'subscription'>,
  eventId: string,
): Promise<Things> {
  const [{ id: delivery }] = await seeDeliveries(owner, { eventId, connectionId: connection });
  const { replayDeliveries } = await owner.query(
    'mutation ($id: ID!) { replayDeliveries(input: { connectionId: $id, since: "2020-01-01T00:00:00Z" }) { replay { id } } }',
    { id: connection },
  );
  return { connection, subscription, delivery, replay: replayDeliveries.replay.id };
}

const NEVER_WAS = (kind: Kind) =>
  kind === 'connection' || kind === 'subscription' ? '987654' : '0193b5a0-0000-7000-8000-000000000000';

const everything = async () => {
  const tables = ['connections', 'subscriptions', 'events', 'deliveries', 'authorizations', 'credentials', 'sessions'];
  const rows = await Promise.all(tables.map((table) => switchboard.sql(`select * from ${table} order by 1`)));
  return JSON.stringify(rows);
};

/** The places where a session may put such an id. In others it is refused earlier. */
const places = Object.entries(idOperations).filter(([, { kind }]) =>
  ['connection', 'subscription', 'delivery', 'replay'].includes(kind),
);

describe.each([
  ['A session of one connection treats another connection of its organization', () => [ofOne, beside] as const],
  ['A session of one connection treats an object of another organization', () => [ofOne, foreign] as const],
  ['A session of an organization treats an object of another organization', () => [ofAll, foreign] as const],
])('%s as unknown', (_title, given) => {
  let answered = 0;

  it.each(places)('%s', async (_place, { kind, operation, own: whose }) => {
    const [session, others] = given();
    const before = await everything();
    const answers = await Promise.all(
      [others[kind as keyof Things], NEVER_WAS(kind)].map(async (id) => {
        const mine = { ...own, event, install: 'none' };
        const { status, data, errors } = await session.send(operation, { id, ...(whose ? { own: mine[whose] } : {}) });
        return { status, data, errors };
      }),
    );
    expect(answers[0]).toEqual(answers[1]);
    expect(JSON.stringify(answers)).not.toContain(`"${others[kind as keyof Things]}"`);
    expect(await everything()).toBe(before);
    if (answers[0]?.status === 200) answered += 1;
    else expect(answers[0]).toMatchObject({ status: 403 });
  });

  it.each(Object.entries(liveIdOperations))('%s', async (_place, { operation }) => {
    const [session, others] = given();
    const live = new LiveClient(client.url, { Authorization: session.authorization });
    for (const id of [others.connection, NEVER_WAS('connection')]) {
      const { seen, ended } = live.watch(operation, { id });
      expect(await ended).toBe('complete');
      expect(seen).toMatchObject([{ errors: [{ extensions: { code: 'NOT_FOUND' } }] }]);
    }
    await live.close();
  });

  it('in all places: few of them were refused earlier', () => {
    expect(answered).toBeGreaterThan(18);
  });
});

describe('A session of one connection', () => {
  const ids = 'edges { node { id } } totalCount';
  const LISTS = `{ connections { ${ids} } subscriptions { ${ids} } deliveries { ${ids} } }`;

  it('lists that connection and its objects only', async () => {
    const only = (id: string) => ({ edges: [{ node: { id } }], totalCount: 1 });
    expect((await ofOne.send(LISTS)).data).toEqual({
      connections: only(own.connection),
      subscriptions: only(own.subscription),
      deliveries: only(own.delivery),
    });
    expect((await ofAll.send(LISTS)).data.connections.totalCount).toBe(2);
  });

  it("sees an event's deliveries to its connection only", async () => {
    const query = `query ($id: ID!) { delivery(id: $id) { event { id eventType deliveries { ${ids} } } } }`;
    const { data } = await ofOne.send(query, { id: own.delivery });
    expect(data.delivery.event).toEqual({
      ...{ id: event, eventType: 'parcels.event.created' },
      deliveries: { edges: [{ node: { id: own.delivery } }], totalCount: 1 },
    });
  });

  it('cannot see a subscription that was moved to another connection', async () => {
    const [from, to] = [await createWebhookConnection(client), await createWebhookConnection(client)];
    const subscription = await subscribe(client, from);
    const eventId = await publish(client);
    const [{ id }] = await seeDeliveries(client, { eventId, subscriptionId: subscription });
    const session = await makeSession(client, { permissions: ['VIEW'], connectionId: from });
    const query = 'query ($id: ID!) { delivery(id: $id) { connection { id } subscription { id connection { id } } } }';
    const there = { id: subscription, connection: { id: from } };
    expect((await session.send(query, { id })).data.delivery).toEqual({ connection: { id: from }, subscription: there });
    const move =
      'mutation ($id: ID!, $to: ID!) { updateSubscription(input: { id: $id, connectionId: $to }) { subscription { id } } }';
    await client.query(move, { id: subscription, to });
    expect((await session.send(query, { id })).data.delivery).toEqual({ connection: { id: from }, subscription: null });
    for (const made of [from, to]) {
      await client.query('mutation ($id: ID!) { deleteConnection(input: { id: $id }) { deletedId } }', { id: made });
    }
  });

  it('finds that connection and its objects by externalId, and cannot set an externalId', async () => {
    const call = (kind: string) =>
      `mutation ($id: ID!, $name: String!) { update${kind}(input: { id: $id, externalId: $name, metadata: { note: 1 } }) {
        userErrors { code message } } }`;
    for (const [things, name] of [
      [own, 'mine'],
      [beside, 'beside'],
    ] as const) {
      await client.query(call('Connection'), { id: things.connection, name });
      await client.query(call('Subscription'), { id: things.subscription, name });
    }
    const find = `query ($name: String!) { connection(externalId: $name) { id externalId metadata }
      subscription(externalId: $name) { id externalId metadata } connections(filter: { externalId: $name }) { totalCount }
      subscriptions(filter: { externalId: $name }) { totalCount } }`;
    const one = { externalId: 'mine', metadata: { note: 1 } };
    expect((await ofOne.send(find, { name: 'mine' })).data).toEqual({
      ...{ connection: { id: own.connection, ...one }, subscription: { id: own.subscription, ...one } },
      ...{ connections: { totalCount: 1 }, subscriptions: { totalCount: 1 } },
    });
    expect((await ofOne.send(find, { name: 'beside' })).data).toEqual({
      ...{ connection: null, subscription: null, connections: { totalCount: 0 }, subscriptions: { totalCount: 0 } },
    });
    expect((await ofAll.send(find, { name: 'beside' })).data.connection.id).toBe(beside.connection);
    for (const session of [ofOne, ofAll]) {
      const { data } = await session.send(call('Connection'), { id: own.connection, name: 'beside' });
      expect(data.updateConnection.userErrors).toMatchObject([{ code: 'FORBIDDEN' }, { code: 'FORBIDDEN' }]);
    }
  });

  it('manages that connection', async () => {
    const rename = 'mutation ($id: ID!) { updateConnection(input: { id: $id, name: "mine" }) { connection { name } } }';
    const { data } = await ofOne.send(rename, { id: own.connection });
    expect(data.updateConnection.connection).toEqual({ name: 'mine' });
    const replay = `mutation ($id: ID!) { replayDeliveries(input: { connectionId: $id, since: "2020-01-01T00:00:00Z" }) {
      replay { id status } } }`;
    const replayed = (await ofOne.send(replay, { id: own.connection })).data.replayDeliveries.replay;
    expect((await ofOne.send('query ($id: ID!) { replay(id: $id) { id } }', { id: replayed.id })).data.replay.id).toBe(
      replayed.id,
    );
    const create = 'mutation { createConnection(input: { type: KLAVIYO }) { connection { id } } }';
    expect(await ofOne.send(create)).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] });
  });

  it('gets live updates of that connection only, even when it watches without an id', async () => {
    const live = new LiveClient(client.url, { Authorization: ofOne.authorization });
    const connections = live.watch('subscription { connectionUpdated { id name } }');
    const deliveries = live.watch('subscription { deliveryUpdated { connection { id } } }');
    await eventually(async () => expect(await switchboard.sql('select 1 from live_watchers')).not.toEqual([]));
    const rename =
      'mutation ($id: ID!, $name: String!) { updateConnection(input: { id: $id, name: $name }) { connection { id } } }';
    let round = 0;
    await eventually(async () => {
      round += 1;
      await client.query(rename, { id: beside.connection, name: `beside ${round}` });
      await publish(client);
      await client.query(rename, { id: own.connection, name: `own ${round}` });
      expect(connections.seen.length).toBeGreaterThan(1);
      expect(deliveries.seen.length).toBeGreaterThan(1);
    });
    await live.close();
    const heard = [
      ...connections.seen.map(({ data }) => data.connectionUpdated.id),
      ...deliveries.seen.map(({ data }) => data.deliveryUpdated.connection.id),
    ];
    expect(new Set(heard)).toEqual(new Set([own.connection]));
  });
});

describe('No session reads', () => {
  const delivery = (selection: string) => `query ($id: ID!) { delivery(id: $id) { ${selection} } }`;

  it.each([
    ['the data of an event', delivery('event { data }')],
    ['the data of an event by its deprecated name', delivery('event { payload }')],
    ["the publisher's keys", delivery('event { idempotencyKey orderingKey }')],
    ["an event's value", delivery('event { value valueCurrency }')],
    ["a receiver's response, which may repeat the payload", delivery('attempts { responseBody }')],
    ["a provider's message, which may be about a person", delivery('attempts { error { message } }')],
    [
      'the values of extra headers',
      '{ connections { edges { node { configuration { ... on WebhookConfiguration { extraHeaders { value } } } } } } }',
    ],
    ['an event by itself', '{ events { totalCount } }'],
    ['the keys', '{ apiKeys { totalCount } }'],
    ['the sessions', '{ sessions { totalCount } }'],
    ['what a platform notes on its organization', '{ organization { metadata externalId } }'],
    ['the organizations', '{ organizations { totalCount } }'],
    [
      'the data behind fragments',
      `${delivery('...A')} fragment A on Delivery { event { ...B } } fragment B on Event { p: data }`,
    ],
    [
      'the data by way of a mutation',
      'mutation ($id: ID!) { retryDelivery(input: { id: $id }) { delivery { event { data } } } }',
    ],
    [
      'a signing secret',
      `mutation ($connection: ID!) { revealSigningSecret(input: { connectionId: $connection }) { signingSecret } }`,
    ],
  ])('%s', async (_what, operation) => {
    const before = await everything();
    for (const session of [ofOne, ofAll]) {
      const answer = await session.send(operation, { id: own.delivery, connection: own.connection });
      expect(answer).toMatchObject({ status: 403, data: undefined, errors: [{ extensions: { code: 'FORBIDDEN' } }] });
      const live = new LiveClient(client.url, { Authorization: session.authorization });
      const { ended } = live.watch(operation, { id: own.delivery, connection: own.connection });
      expect(await ended).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
      await live.close();
    }
    expect(await everything()).toBe(before);
  });

  it('any of these in all operations that it may use', async () => {
    const query = `query ($id: ID!) { delivery(id: $id) { id status attemptCount nextAttemptAt createdAt updatedAt
      event { id eventType createdAt occurredAt } attempts { number trigger statusCode durationMs startedAt error { code destinationCode } }
      subscription { id eventType isActive createdAt updatedAt } connection { id type name status statusReason problem
        configuration { ... on WebhookConfiguration { url authType extraHeaders { name } } } } } }`;
    const answer = await ofAll.send(query, { id: own.delivery });
    expect(answer).toMatchObject({ status: 200, errors: undefined });
    expect(JSON.stringify(answer.data)).not.toContain('SECRET-PAYLOAD');
    const asOwner = await client.send(delivery('event { data }'), { id: own.delivery });
    expect(JSON.stringify(asOwner.data)).toContain('SECRET-PAYLOAD');
  });
});

it('A session ends when the deletion of its organization begins', async () => {
  const platform = await Platform.of(switchboard);
  const session = await makeSession(await platform.newOrganization('leaving'), { permissions: ['VIEW'] });
  const ask = () => session.send('{ session { id } }', {}, { 'switchboard-organization': 'leaving' });
  expect((await ask()).data).toEqual({ session: { id: session.id } });
  await platform.query('mutation { deleteOrganization(input: { externalId: "leaving" }) { userErrors { code } } }');
  expect(await ask()).toMatchObject({ status: 401, errors: [{ extensions: { code: 'SESSION_ENDED' } }] });
});

describe('An open websocket', () => {
  it('is closed when the only connection of its session is deleted', async () => {
    const connectionId = await createKlaviyoConnection(client);
    const session = await makeSession(client, { permissions: ['CONNECT'], connectionId });
    const live = new LiveClient(client.url, { Authorization: session.authorization });
    const { seen, ended } = live.watch(WATCH);
    let round = 0;
    await eventually(async () => {
      round += 1;
      await client.query(RENAME, { id: connectionId, name: `before ${round}` });
      expect(seen.length).toBeGreaterThan(0);
    });
    const remove = 'mutation ($id: ID!) { deleteConnection(input: { id: $id }) { deletedId } }';
    expect((await client.query(remove, { id: connectionId })).deleteConnection).toEqual({ deletedId: connectionId });
    // No change follows that the socket would have to tell.
    expect(await ended).toMatchObject({ code: 4401, reason: 'SESSION_ENDED' });
    await live.close();
  });

  const WATCH = 'subscription { connectionUpdated { id name } }';
  const RENAME =
    'mutation ($id: ID!, $name: String!) { updateConnection(input: { id: $id, name: $name }) { connection { id } } }';

  it.each([
    ['ended', 'SESSION_ENDED', 'ended_at = now()'],
    ['expired', 'SESSION_EXPIRED', "expires_at = now() - interval '1 second'"],
  ])('sends nothing more once its session is %s, and closes', async (_how, reason, change) => {
    const connectionId = await createKlaviyoConnection(client);
    const session = await makeSession(client, { permissions: ['CONNECT'], connectionId });
    const live = new LiveClient(client.url, { Authorization: session.authorization });
    const { seen, ended } = live.watch(WATCH);
    let round = 0;
    await eventually(async () => {
      round += 1;
      await client.query(RENAME, { id: connectionId, name: `before ${round}` });
      expect(seen.length).toBeGreaterThan(0);
    });
    await switchboard.sql(`update sessions set ${change} where id = ?`, [session.id]);
    // Checked credentials are valid for a second without another check.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await client.query(RENAME, { id: connectionId, name: 'after' });
    expect(await ended).toMatchObject({ code: 4401, reason });
    expect(JSON.stringify(seen)).not.toContain('after');
    await live.close();
  });
});
