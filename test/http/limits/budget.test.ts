import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LiveClient } from '../../graphql/live/support/LiveClient.js';
import { eventually } from '../../support/eventually.js';
import type { GraphQLClient } from '../../support/GraphQLClient.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { createWebhookConnection, parcelEvent, subscribe } from '../../support/webhookFlow.js';

let switchboard: TestSwitchboard;
let client: GraphQLClient;
beforeAll(async () => {
  switchboard = await startSwitchboard({ ROLE: 'api' });
  client = switchboard.client;
  for (let index = 0; index < 4; index += 1) await subscribe(client, await createWebhookConnection(client));
  await publishMany(100, 'x');
});
afterAll(() => switchboard.close());

async function publishMany(count: number, comment: string, by = client): Promise<void> {
  const data = { ...parcelEvent(), comment };
  const events = Array(count).fill({ eventType: 'parcels.event.created', data });
  const { publishEvents } = await by.query(
    'mutation ($input: PublishEventsInput!) { publishEvents(input: $input) { userErrors { code message } } }',
    { input: { events } },
  );
  expect(publishEvents.userErrors).toEqual([]);
}

const NESTED = (page: string) =>
  `connections(${page}) { edges { node { deliveries(${page}) { edges { node { id event { payload } attempts { responseBody } } } } } } }`;
const refused = {
  status: 400,
  data: undefined,
  errors: [{ message: expect.stringMatching(/could hold \d+ fields/), extensions: { code: 'BAD_USER_INPUT' } }],
};

describe('The cost of an operation', () => {
  it.each<[string, string, object]>([
    ['a literal', `{ ${NESTED('first: 100')} }`, {}],
    ['a literal of last', `{ ${NESTED('last: 100')} }`, {}],
    ['a variable', `query ($n: Int) { ${NESTED('first: $n')} }`, { n: 100 }],
    ['a variable of last', `query ($n: Int) { ${NESTED('last: $n')} }`, { n: 100 }],
    ['the default of a variable', `query ($n: Int = 100) { ${NESTED('first: $n')} }`, {}],
    ['another fragment', `query ($n: Int) { ...F } fragment F on Query { ${NESTED('first: $n')} }`, { n: 100 }],
    [
      'the default of a list, thrice',
      `query ($n: Int) { connections(first: $n) { edges { node { deliveries { edges { node { event { deliveries { edges { node { id status } } } } } } } } } } }`,
      { n: null },
    ],
    ['first beside a null', `query ($n: Int, $m: Int) { ${NESTED('first: $n, last: $m')} }`, { n: null, m: 100 }],
  ])('includes all rows that %s asks for', async (_what, query, variables) => {
    expect(await client.send(query, variables)).toMatchObject(refused);
    const live = LiveClient.of(client);
    expect(await live.watch(query, variables as Record<string, unknown>).ended).toMatchObject(refused.errors);
    await live.close();
  });

  it.each<[string, string, object]>([
    ['a page of everything', `query ($n: Int) { ${NESTED('first: $n')} }`, { n: 20 }],
    [
      'fields that are left out',
      `query ($n: Int, $no: Boolean = false) { __typename ${NESTED('first: $n').replace('{', '@include(if: $no) {')} }`,
      { n: 100 },
    ],
    [
      'the longest list',
      'query ($n: Int) { deliveries(first: $n) { totalCount edges { node { id status event { id payload } connection { id name } } } } }',
      { n: 100 },
    ],
  ])('allows %s', async (_what, query, variables) => {
    expect(await client.send(query, variables)).toMatchObject({ status: 200, errors: undefined });
  });

  it('of a watch is limited to a tenth, since a watch is answered repeatedly', async () => {
    const live = LiveClient.of(client);
    const watch = (n: number) =>
      live.watch(
        `subscription { connectionUpdated { deliveries(first: ${n}) { edges { node { id event { deliveries(first: 2) { edges { node { id status attempts { number } } } } } } } } } }`,
      );
    expect(await watch(100).ended).toMatchObject(refused.errors);
    const small = watch(20);
    expect(await Promise.race([small.ended, sleep(300, 'goes on')])).toBe('goes on');
    await live.close();
  });

  it('includes introspection', async () => {
    const whole = (index: number) =>
      `a${index}: __schema { types { name fields { name args { name type { name } } type { name ofType { name } } } } }`;
    const many = Array.from({ length: 25 }, (_, index) => whole(index)).join(' ');
    expect(await client.send(`{ ${many} }`)).toMatchObject(refused);
    expect(await client.send(`{ ${whole(0)} }`)).toMatchObject({ status: 200 });
  });
});

describe('The budget of a running operation', () => {
  let strict: TestSwitchboard;
  beforeAll(async () => {
    strict = await startSwitchboard(
      { ROLE: 'api', GRAPHQL_MAX_ROWS: '250', GRAPHQL_MAX_ANSWER_BYTES: '1000000' },
      switchboard.testDatabase,
    );
  });
  afterAll(() => strict.close());
  const as = (owner: GraphQLClient) => ({ ...owner, url: `${strict.publicUrl}/graphql`, authorization: owner.authorization });
  const ask = async (owner: GraphQLClient, query: string) => {
    const { url, authorization } = as(owner);
    const headers = { 'content-type': 'application/json', authorization };
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) });
    const text = await response.text();
    return { status: response.status, length: text.length, ...JSON.parse(text) };
  };
  const overSocket = async ({ authorization }: GraphQLClient, query: string) => {
    const live = new LiveClient(`${strict.publicUrl}/graphql`, { Authorization: authorization });
    const { ended, seen } = live.watch(query);
    await ended;
    await live.close();
    return seen[0];
  };

  it('limits its rows: nothing more is read beyond them, and one error says so', async () => {
    const query =
      '{ deliveries(first: 50) { edges { node { id event { id } connection { deliveries(first: 2) { edges { node { id } } } } } } } }';
    const more = `{ ${Array.from({ length: 5 }, (_, index) => `a${index}: deliveries(first: 100) { edges { node { id } } }`).join(' ')} }`;
    expect(await ask(client, query)).toMatchObject({ status: 200 });
    const errors = [{ message: expect.stringContaining('more than 250 rows'), extensions: { code: 'BAD_USER_INPUT' } }];
    const { status, data, errors: told } = await ask(client, more);
    expect([status, data, told]).toEqual([400, undefined, errors]);
    expect(await overSocket(client, more)).toEqual({ errors });
  });

  it('limits its bytes, also when the same value is returned repeatedly', async () => {
    const heavy = await switchboard.anotherOrganization();
    await publishMany(1, 'y'.repeat(200_000), heavy);
    const payloads = (count: number) =>
      `{ events { edges { node { ${Array.from({ length: count }, (_, index) => `p${index}: payload`).join(' ')} } } } }`;
    expect(await ask(heavy, payloads(4))).toMatchObject({ status: 200 });
    const { status, length, errors, data } = await ask(heavy, payloads(6));
    expect([status, errors.length, data]).toEqual([400, 1, undefined]);
    expect(errors[0].message).toContain('larger than 976 KiB');
    expect(length).toBeLessThan(1_000);
    expect(await overSocket(heavy, payloads(6))).toEqual({
      errors: [{ message: expect.stringContaining('larger than 976 KiB'), extensions: { code: 'BAD_USER_INPUT' } }],
    });
  });

  it('does not hide a change that was made: its response is sent', async () => {
    const owner = await switchboard.anotherOrganization();
    const comment = 'z'.repeat(240_000);
    const again = Array.from({ length: 6 }, (_, index) => `p${index}: payload`).join(' ');
    const answer = await ask(
      owner,
      `mutation { publishEvent(input: { eventType: "parcels.event.created", data: ${literal({ ...parcelEvent(), comment })} }) { event { id ${again} } userErrors { code } } }`,
    );
    expect(answer.errors).toMatchObject([{ message: expect.stringContaining('larger than') }]);
    expect(await switchboard.sql('select 1 from events where organization_id = ?', [owner.keys.organizationId])).toHaveLength(1);
  });
});

function literal(value: unknown): string {
  return JSON.stringify(value).replace(/"(\w+)":/g, '$1:');
}

describe('When the client has disconnected', () => {
  it('its operation ends: queries that were not sent to the database by then never are', async () => {
    const owner = await switchboard.anotherOrganization();
    const counts = (name: string) =>
      Array.from({ length: 10 }, (_, index) => `${name}${index}: connections(first: 1) { totalCount }`).join(' ');
    for (let index = 0; index < 3; index += 1) await createWebhookConnection(owner);
    const query = `{ ${counts('a')} connections { edges { node { deliveries(first: 1) { edges { node { id } } } subscriptions(first: 1) { totalCount } } } } }`;
    const [first, later] = await Promise.all([lock('connections'), lock('subscriptions, deliveries')]);
    try {
      const call = request(owner.url, {
        ...{ method: 'POST', headers: { authorization: owner.authorization, 'content-type': 'application/json' } },
      });
      call.on('error', () => {});
      call.end(JSON.stringify({ query }));
      await eventually(async () => expect(await waitingFor('connections')).toBeGreaterThan(0));
      call.destroy();
      await sleep(200);
      await first.end();
      await eventually(async () => expect(await waitingFor('connections')).toBe(0));
      await sleep(300);
      expect([await waitingFor('subscriptions'), await waitingFor('deliveries')]).toEqual([0, 0]);
      // The same query of a client that waits is answered.
      const stays = owner.send(query);
      await eventually(async () => expect(await waitingFor('subscriptions')).toBeGreaterThan(0));
      await later.end();
      expect(await stays).toMatchObject({ status: 200 });
    } finally {
      await Promise.all([first.end(), later.end()]);
    }
  });

  /** Locks these tables, so that no read of them ends before the lock is released. */
  async function lock(tables: string): Promise<pg.Client> {
    const blocker = new pg.Client({ connectionString: switchboard.testDatabase.url });
    await blocker.connect();
    await blocker.query('begin');
    await blocker.query(`lock table ${tables} in access exclusive mode`);
    return blocker;
  }

  async function waitingFor(table: string): Promise<number> {
    const rows = await switchboard.sql(
      'select 1 from pg_locks where not granted and relation = ?::regclass and database = (select oid from pg_database where datname = current_database())',
      [table],
    );
    return rows.length;
  }
});
