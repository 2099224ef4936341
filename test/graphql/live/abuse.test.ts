import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { ChangeFeed } from '../../../src/live/ChangeFeed.js';
import { eventually } from '../../support/eventually.js';
import type { GraphQLClient } from '../../support/GraphQLClient.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { createWebhookConnection } from '../../support/webhookFlow.js';
import { LiveClient } from './support/LiveClient.js';

const WATCH = 'subscription { connectionUpdated { id name } }';
const RENAME =
  'mutation ($id: ID!, $name: String!) { updateConnection(input: { id: $id, name: $name }) { userErrors { code } } }';

let switchboard: TestSwitchboard;
const open: WebSocket[] = [];
beforeAll(async () => {
  switchboard = await startSwitchboard({ ROLE: 'api', LIVE_WATCHES_PER_ORGANIZATION: '5' });
});
afterAll(async () => {
  for (const socket of open) socket.terminate();
  await switchboard.close();
});

/** Opens a socket that can send anything. */
async function connect(): Promise<WebSocket & { readonly closed: Promise<number> }> {
  const socket = new WebSocket(`${switchboard.publicUrl.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  open.push(socket);
  socket.on('error', () => {});
  const closed = new Promise<number>((resolve) => {
    socket.once('close', resolve);
  });
  await new Promise((resolve) => {
    socket.once('open', resolve);
  });
  return Object.assign(socket, { closed });
}

/** Opens a socket and authenticates it. */
async function logIn(client: GraphQLClient) {
  const socket = await connect();
  const seen: { id?: string; type: string }[] = [];
  socket.on('message', (data) => seen.push(JSON.parse(String(data))));
  socket.send(JSON.stringify({ type: 'connection_init', payload: { Authorization: client.authorization } }));
  await eventually(() => expect(seen.at(0)?.type).toBe('connection_ack'));
  return Object.assign(socket, { seen });
}

const watchersOf = async ({ keys }: GraphQLClient): Promise<number> =>
  (await switchboard.sql('select 1 from live_watchers where organization_id = ? and expires_at > now()', [keys.organizationId]))
    .length;

describe('Before authentication, a socket', () => {
  it.each([
    ['no JSON', '{'],
    ['nothing', 'null'],
    ['what only servers say', JSON.stringify({ type: 'connection_ack' })],
    ['an unknown word', JSON.stringify({ type: 'shutdown' })],
  ])('is closed with 4400 for %s', async (_what, message) => {
    const socket = await connect();
    for (let again = 0; again < 50; again += 1) socket.send(message);
    expect(await socket.closed).toBe(4400);
  });

  it('is closed with 1009 for a message of more than 1 MiB', async () => {
    const socket = await connect();
    socket.send(JSON.stringify({ type: 'ping', payload: { text: 'x'.repeat(1_100_000) } }));
    expect(await socket.closed).toBe(1009);
  });

  it('gets no echo of its messages', async () => {
    const socket = await connect();
    const answer = new Promise((resolve) => {
      socket.once('message', (data) => resolve(String(data)));
    });
    socket.send(JSON.stringify({ type: 'ping', payload: { text: 'x'.repeat(1_000) } }));
    expect(await answer).toBe('{"type":"pong"}');
  });
});

describe('A socket that reuses an id while its operation is still starting', () => {
  it('leaves no watch behind when it closes', async () => {
    const client = await switchboard.anotherOrganization();
    const socket = await logIn(client);
    const subscribe = JSON.stringify({ id: 'same', type: 'subscribe', payload: { query: WATCH } });
    for (let pair = 0; pair < 2; pair += 1) {
      socket.send(subscribe);
      socket.send(JSON.stringify({ id: 'same', type: 'complete' }));
    }
    socket.send(subscribe);
    await eventually(async () => expect(await watchersOf(client)).toBe(1));
    const id = await createWebhookConnection(client);
    await eventually(() => expect(socket.seen.some(({ type }) => type === 'next')).toBe(true));
    socket.close();
    await socket.closed;
    // All five watches of the organization's limit are free again when the operations that were starting have ended.
    await eventually(async () => {
      const others = LiveClient.of(client);
      const watches = Array.from({ length: 5 }, () => others.watch(WATCH));
      for (let name = 0; name < 100 && watches.some(({ seen }) => seen.length === 0); name += 1) {
        await client.query(RENAME, { id, name: `name ${name}` });
        await sleep(50);
      }
      await others.close();
      for (const { seen } of watches) expect(seen.at(0)?.data?.connectionUpdated.id).toBe(id);
    });
  });
});

describe('An organization', () => {
  it('is limited in the number of watches, and is told so', async () => {
    const client = await switchboard.anotherOrganization();
    const watching = LiveClient.of(client);
    for (let index = 0; index < 5; index += 1) watching.watch(WATCH);
    await eventually(async () => expect(await watchersOf(client)).toBe(1));
    await eventually(async () => {
      const sixth = watching.watch(WATCH);
      const ended = await Promise.race([sixth.ended, sleep(200)]);
      sixth.stop();
      const errors = Array.isArray(ended) ? ended : sixth.seen[0]?.errors;
      expect(errors).toMatchObject([{ extensions: { code: 'RATE_LIMITED' } }]);
    });
    await watching.close();
  });
});

describe('A change', () => {
  it('that is being written is waited for: what is read after the watch has begun is current', async () => {
    const client = await switchboard.anotherOrganization();
    const id = await createWebhookConnection(client);
    const log = pino({ enabled: false });
    const feed = new ChangeFeed({ database: switchboard.database, log, watchesPerOrganization: 5 });
    const writer = new pg.Client({ connectionString: switchboard.testDatabase.url });
    await writer.connect();
    await writer.query('begin');
    await writer.query("update connections set name = 'early' where id = $1", [id]);
    const caller = {
      organizationId: client.keys.organizationId as number,
      apiKeyId: 0,
      scopes: new Set(['read'] as const),
      credential: 'api_key' as const,
      address: '127.0.0.1',
      session: null,
    };
    const begun = feed.watch(caller, 'connection', { wants: () => true, admit: async () => {} });
    expect(await Promise.race([begun, sleep(300, 'waits')])).toBe('waits');
    await writer.query('commit');
    await begun;
    const { connection } = await client.query('query ($id: ID!) { connection(id: $id) { name } }', { id });
    expect(connection.name).toBe('early');
    await writer.end();
    await feed.close();
  });

  it('that sent no notification, because the watch was registered too late, ends the watch with 1013', async () => {
    const client = await switchboard.anotherOrganization();
    const live = LiveClient.of(client);
    live.watch(WATCH);
    await eventually(async () => expect(await watchersOf(client)).toBe(1));
    await switchboard.sql("update live_watchers set expires_at = now() - interval '1 second' where organization_id = ?", [
      client.keys.organizationId,
    ]);
    await eventually(() => expect(live.closes).toEqual([1013]), { withinMs: 15_000 });
  });

  it('that cannot be read ends the watch with 1013', async () => {
    const client = await switchboard.anotherOrganization();
    const id = await createWebhookConnection(client);
    const live = LiveClient.of(client);
    const { seen } = live.watch(WATCH);
    let name = 0;
    // The watch has begun when it delivers an update.
    await eventually(async () => {
      name += 1;
      await client.query(RENAME, { id, name: `name ${name}` });
      await sleep(50);
      expect(seen.at(-1)?.data?.connectionUpdated.id).toBe(id);
    });
    const writer = new pg.Client({ connectionString: switchboard.testDatabase.url });
    await writer.connect();
    // The notification arrives when the reader cannot read the table.
    await writer.query('begin');
    await writer.query("update connections set name = 'seen' where id = $1", [id]);
    await writer.query('alter table connections rename to elsewhere');
    await writer.query('commit');
    await eventually(() => expect(live.closes).toEqual([1013]));
    await writer.query('alter table elsewhere rename to connections');
    await writer.end();
  });
});
