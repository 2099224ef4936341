import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/database/newId.js';
import { takeDeliveryStep } from '../../../src/delivery/queue/tasks.js';
import type { GraphQLClient } from '../../support/GraphQLClient.js';
import { makeSession } from '../../support/sessionFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { createWebhookConnection, publish, subscribe } from '../../support/webhookFlow.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  // No worker takes steps by itself.
  switchboard = await startSwitchboard({ ROLE: 'api' });
});
afterAll(() => switchboard.close());

const STOP = `mutation ($id: ID!) { stopReplay(input: { id: $id }) {
  replay { id status count finishedAt } userErrors { code path } } }`;
const REPLAYS = `query ($filter: ReplayFilter, $first: Int, $after: String) { replays(filter: $filter, first: $first, after: $after) {
  totalCount pageInfo { hasNextPage endCursor }
  edges { node { id status count since until statuses createdAt finishedAt connection { id } } } } }`;

const REPLAY = `mutation ($input: ReplayDeliveriesInput!) { replayDeliveries(input: $input) {
  count replay { since } userErrors { code path } } }`;

/** A connection with failed deliveries. */
async function failing(client: GraphQLClient, count = 3) {
  const connectionId = await createWebhookConnection(client);
  const subscriptionId = await subscribe(client, connectionId);
  for (let n = 0; n < count; n++) await publish(client);
  await switchboard.sql("update deliveries set status = 'failed' where connection_id = ?", [connectionId]);
  const pause = 'mutation ($id: ID!) { updateSubscription(input: { id: $id, isActive: false }) { userErrors { code } } }';
  await client.query(pause, { id: subscriptionId });
  return connectionId;
}

/** A replay with steps left to take. */
async function running(client: GraphQLClient, connectionId: string): Promise<string> {
  const id = newId();
  const input = { statuses: ['failed'], eventType: null, subscriptionId: null, since: '2020-01-01T00:00:00.000Z' };
  await switchboard.sql(
    `insert into delivery_tasks (id, organization_id, kind, connection_id, input) values (?, ?, 'replay', ?, ?::jsonb)`,
    [id, client.keys.organizationId, connectionId, JSON.stringify({ ...input, until: new Date().toISOString() })],
  );
  return id;
}

const due = async (connectionId: string) =>
  (await switchboard.sql("select 1 from deliveries where connection_id = ? and status = 'pending'", [connectionId])).length;

const audited = async (client: GraphQLClient, id: string) => {
  const query = `query ($id: ID!) { auditEvents(filter: { action: REPLAY_STOPPED, subjectId: $id }) { edges { node {
    subjectType after } } } }`;
  return (await client.query(query, { id })).auditEvents.edges.map(({ node }: { node: object }) => node);
};

describe('stopReplay', () => {
  it('ends a running replay, once, and leaves a line in the audit log', async () => {
    const client = await switchboard.anotherOrganization();
    const connectionId = await failing(client);
    const id = await running(client, connectionId);
    const { stopReplay } = await client.query(STOP, { id });
    expect(stopReplay).toEqual({
      replay: { id, status: 'CANCELLED', count: 0, finishedAt: expect.any(String) },
      userErrors: [],
    });
    expect(await takeDeliveryStep(switchboard.database)).toBe(false);
    expect(await due(connectionId)).toBe(0);
    expect((await client.query(STOP, { id })).stopReplay).toEqual(stopReplay);
    expect(await audited(client, id)).toEqual([{ subjectType: 'REPLAY', after: { count: 0 } }]);
  });

  it('changes nothing of one that is completed', async () => {
    const client = await switchboard.anotherOrganization();
    const connectionId = await failing(client);
    const start = `mutation ($id: ID!) { replayDeliveries(input: { connectionId: $id, since: "2020-01-01T00:00:00Z" }) {
      replay { id status count finishedAt } } }`;
    const { replay } = (await client.query(start, { id: connectionId })).replayDeliveries;
    expect(replay).toMatchObject({ status: 'COMPLETED', count: 3 });
    expect((await client.query(STOP, { id: replay.id })).stopReplay).toEqual({ replay, userErrors: [] });
    expect(await audited(client, replay.id)).toEqual([]);
  });

  it('waits for a step that is under way: the count is what is due again, whoever is first', async () => {
    const client = await switchboard.anotherOrganization();
    const connectionId = await failing(client, 5);
    const statuses = new Set<string>();
    for (let round = 0; round < 10; round++) {
      await switchboard.sql("update deliveries set status = 'failed' where connection_id = ?", [connectionId]);
      const id = await running(client, connectionId);
      const step = takeDeliveryStep(switchboard.database);
      // So that each of the two is first at times.
      if (round % 2 === 1) await step;
      const [{ stopReplay }] = await Promise.all([client.query(STOP, { id }), step]);
      statuses.add(stopReplay.replay.status);
      const { replay } = await client.query('query ($id: ID!) { replay(id: $id) { id status count finishedAt } }', { id });
      expect(replay).toEqual(stopReplay.replay);
      expect(replay.count).toBe(replay.status === 'COMPLETED' ? 5 : 0);
      expect(await due(connectionId)).toBe(replay.count);
    }
    expect([...statuses]).toContain('COMPLETED');
  });

  it.each(['no id', '', '0193b5a0-0000-7000-8000-000000000000', '12', '\0'])('says that there is no replay %j', async (id) => {
    const { stopReplay } = await switchboard.client.query(STOP, { id });
    expect(stopReplay).toEqual({ replay: null, userErrors: [{ code: 'NOT_FOUND', path: ['id'] }] });
  });

  it('is for those who may manage, and for a session of one connection only there', async () => {
    const client = await switchboard.anotherOrganization();
    const [own, other] = [await failing(client), await failing(client)];
    const [ofOwn, ofOther] = [await running(client, own), await running(client, other)];
    const viewer = await makeSession(client, { permissions: ['VIEW'] });
    expect(await viewer.send(STOP, { id: ofOwn })).toMatchObject({
      status: 403,
      errors: [{ extensions: { code: 'FORBIDDEN' } }],
    });
    const confined = await makeSession(client, { permissions: ['MANAGE'], connectionId: own });
    expect((await confined.send(STOP, { id: ofOther })).data.stopReplay.userErrors).toMatchObject([{ code: 'NOT_FOUND' }]);
    expect((await confined.send(STOP, { id: ofOwn })).data.stopReplay.replay.status).toBe('CANCELLED');
    expect((await confined.send(REPLAYS)).data.replays.edges).toMatchObject([{ node: { id: ofOwn } }]);
    expect((await confined.send(REPLAYS, { filter: { connectionId: other } })).data.replays.totalCount).toBe(0);
    const foreign = await switchboard.anotherOrganization();
    expect((await foreign.query(STOP, { id: ofOther })).stopReplay.userErrors).toMatchObject([{ code: 'NOT_FOUND' }]);
    expect((await client.query('query ($id: ID!) { replay(id: $id) { status } }', { id: ofOther })).replay.status).toBe(
      'RUNNING',
    );
  });
});

describe('replays', () => {
  it('lists them newest first, in pages, of all connections or of one', async () => {
    const client = await switchboard.anotherOrganization();
    const [one, two] = [await failing(client), await failing(client, 0)];
    const ids = [await running(client, one), await running(client, two), await running(client, one)];
    // Other work is no replay.
    await switchboard.sql(
      `insert into delivery_tasks (id, organization_id, kind, connection_id, input, run_at) values (?, ?, 'cancel', ?, '{}', 'infinity')`,
      [newId(), client.keys.organizationId, one],
    );
    const { replays } = await client.query(REPLAYS);
    expect(replays.totalCount).toBe(3);
    expect(replays.edges.map(({ node }: { node: { id: string } }) => node.id)).toEqual([...ids].reverse());
    expect(replays.edges[0].node).toMatchObject({
      ...{ status: 'RUNNING', count: 0, since: '2020-01-01T00:00:00.000Z', statuses: ['FAILED'], finishedAt: null },
      connection: { id: one },
    });
    const ofOne = (await client.query(REPLAYS, { filter: { connectionId: one }, first: 1 })).replays;
    expect(ofOne).toMatchObject({ totalCount: 2, pageInfo: { hasNextPage: true }, edges: [{ node: { id: ids[2] } }] });
    const next = { filter: { connectionId: one }, first: 1, after: ofOne.pageInfo.endCursor };
    expect((await client.query(REPLAYS, next)).replays).toMatchObject({
      pageInfo: { hasNextPage: false },
      edges: [{ node: { id: ids[0] } }],
    });
    const bad = await client.send(REPLAYS, { first: 101 });
    expect(bad).toMatchObject({ status: 400, errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
    await client.query('mutation ($id: ID!) { deleteConnection(input: { id: $id }) { deletedId } }', { id: two });
    const { replay } = await client.query('query ($id: ID!) { replay(id: $id) { connection { id } } }', { id: ids[1] });
    expect(replay).toEqual({ connection: null });
  });
});

describe('replayDeliveries', () => {
  it.each([
    ['longer than any', 'x'.repeat(256)],
    ['with a NUL', 'parcels\0created'],
  ])('refuses an event type %s, and stores nothing of it', async (_case, eventType) => {
    const client = await switchboard.anotherOrganization();
    const connectionId = await failing(client);
    const { replayDeliveries } = await client.query(REPLAY, {
      input: { connectionId, since: '2020-01-01T00:00:00Z', eventType },
    });
    expect(replayDeliveries).toEqual({ count: null, replay: null, userErrors: [{ code: 'INVALID', path: ['eventType'] }] });
    const { auditEvents } = await client.query('{ auditEvents(filter: { action: DELIVERIES_REPLAYED }) { totalCount } }');
    expect(auditEvents.totalCount).toBe(0);
  });

  it('takes the year 0 for the beginning of time', async () => {
    const client = await switchboard.anotherOrganization();
    const connectionId = await failing(client);
    const { replayDeliveries } = await client.query(REPLAY, { input: { connectionId, since: '0000-01-01T00:00:00Z' } });
    expect(replayDeliveries).toMatchObject({ count: 3, userErrors: [] });
  });
});
