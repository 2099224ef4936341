import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GraphQLClient } from '../../support/GraphQLClient.js';
import { Platform } from '../../support/Platform.js';
import { makeSession } from '../../support/sessionFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { createWebhookConnection, publish, subscribe } from '../../support/webhookFlow.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  // Nothing is delivered.
  switchboard = await startSwitchboard({ ROLE: 'api' });
});
afterAll(() => switchboard.close());

/** A connection with one delivery for each status. Returns the ids of the deliveries, by status. */
async function withDeliveries(client: GraphQLClient, statuses: readonly string[]) {
  const connectionId = await createWebhookConnection(client);
  const subscriptionId = await subscribe(client, connectionId);
  const ids: Record<string, string> = {};
  for (const status of statuses) {
    const eventId = await publish(client);
    const [{ id }] = await switchboard.sql('select id from deliveries where event_id = ? and connection_id = ?', [
      eventId,
      connectionId,
    ]);
    await switchboard.sql('update deliveries set status = ? where id = ?', [status, id]);
    ids[status] = id;
  }
  const pause = 'mutation ($id: ID!) { updateSubscription(input: { id: $id, isActive: false }) { userErrors { code } } }';
  await client.query(pause, { id: subscriptionId });
  return { connectionId, ids };
}

interface Edge {
  readonly node: {
    readonly id: string;
    readonly oldestWaiting: string | null;
    readonly externalId: string;
    readonly status: string;
  };
}

const OLDEST = '{ organization { oldestWaiting } connections { edges { node { id oldestWaiting } } } }';

async function oldest(client: Pick<GraphQLClient, 'query'>) {
  const { organization, connections } = await client.query(OLDEST);
  const ofConnections = connections.edges.map(({ node }: Edge) => [node.id, node.oldestWaiting]);
  return { whole: organization.oldestWaiting, of: Object.fromEntries(ofConnections) };
}

/** Lets a delivery have been published so many hours ago. */
const age = (id: string | undefined, hours: number) =>
  switchboard.sql(
    `update deliveries set created_at = date_trunc('milliseconds', now()) - ? * interval '1 hour',
    due_at = now() - ? * interval '1 hour' where id = ?`,
    [hours, hours, id],
  );
const hoursAgo = (time: string) => Math.round((Date.now() - Date.parse(time)) / 3_600_000);

describe('oldestWaiting', () => {
  it('is when the oldest PENDING or RETRYING delivery was published, and null when none waits', async () => {
    const client = await switchboard.anotherOrganization();
    const one = await withDeliveries(client, ['pending', 'retrying', 'held', 'delivered', 'failed', 'cancelled', 'expired']);
    const two = await withDeliveries(client, ['pending']);
    const none = await withDeliveries(client, ['held', 'delivered']);
    for (const status of ['held', 'delivered', 'failed', 'cancelled', 'expired']) await age(one.ids[status], 90);
    await age(one.ids.pending, 2);
    await age(one.ids.retrying, 5);
    await age(two.ids.pending, 3);
    const first = await oldest(client);
    expect(hoursAgo(first.of[one.connectionId])).toBe(5);
    expect(hoursAgo(first.of[two.connectionId])).toBe(3);
    expect(first.of[none.connectionId]).toBeNull();
    expect(first.whole).toBe(first.of[one.connectionId]);
    await switchboard.sql("update deliveries set status = 'delivered' where id = ?", [one.ids.retrying]);
    const second = await oldest(client);
    expect(hoursAgo(second.of[one.connectionId])).toBe(2);
    expect(second.whole).toBe(second.of[two.connectionId]);
    // A retry by hand begins anew.
    await switchboard.sql("update deliveries set retried_at = now() - interval '1 hour' where id = ?", [two.ids.pending]);
    expect(hoursAgo((await oldest(client)).of[two.connectionId])).toBe(1);
    await switchboard.sql("update deliveries set status = 'delivered' where organization_id = ?", [client.keys.organizationId]);
    expect(await oldest(client)).toMatchObject({ whole: null, of: { [one.connectionId]: null } });
  });

  it('finds a retry that is due in hours behind many that are due', async () => {
    const client = await switchboard.anotherOrganization();
    const { connectionId, ids } = await withDeliveries(client, ['pending', 'retrying']);
    await age(ids.retrying, 9);
    await switchboard.sql("update deliveries set due_at = now() + interval '1 hour' where id = ?", [ids.retrying]);
    await switchboard.sql(
      `insert into deliveries (id, organization_id, event_id, subscription_id, connection_id, event_type, status)
        select gen_random_uuid(), organization_id, event_id, subscription_id, connection_id, event_type, 'pending'
        from deliveries, generate_series(1, 300) where id = ?`,
      [ids.pending],
    );
    const found = await oldest(client);
    expect(hoursAgo(found.of[connectionId])).toBe(9);
    expect(hoursAgo(found.whole)).toBe(9);
  });

  it('is of its own connection for a session of one, and of nobody else', async () => {
    const client = await switchboard.anotherOrganization();
    const [own, other] = [await withDeliveries(client, ['pending']), await withDeliveries(client, ['pending'])];
    await age(own.ids.pending, 1);
    await age(other.ids.pending, 4);
    const session = await makeSession(client, { permissions: ['VIEW'], connectionId: own.connectionId });
    const seen = await oldest({ query: async (query) => (await session.send(query)).data });
    expect([hoursAgo(seen.whole), Object.keys(seen.of)]).toEqual([1, [own.connectionId]]);
    expect(await oldest(await switchboard.anotherOrganization())).toEqual({ whole: null, of: {} });
  });

  it('shows a platform which of its organizations are behind', async () => {
    const platform = await Platform.of(switchboard);
    const busy = await platform.newOrganization('busy');
    await platform.newOrganization('calm');
    const { ids } = await withDeliveries(busy, ['pending']);
    await age(ids.pending, 6);
    const { organizations } = await platform.query('{ organizations { edges { node { externalId oldestWaiting } } } }');
    const found: Edge[] = organizations.edges;
    const of = (name: string) => found.find(({ node }) => node.externalId === name)?.node.oldestWaiting ?? null;
    expect(hoursAgo(of('busy') as string)).toBe(6);
    expect(of('calm')).toBeNull();
  });
});

describe('deliveries(filter: { statuses })', () => {
  const DELIVERIES = `query ($filter: DeliveryFilter, $first: Int) { deliveries(filter: $filter, first: $first) {
    totalCount edges { node { id status } } } }`;

  it('lists those in any of them; together with status, both apply', async () => {
    const client = await switchboard.anotherOrganization();
    const { connectionId } = await withDeliveries(client, ['pending', 'failed', 'delivered', 'expired', 'failed']);
    const list = async (filter: object) => {
      const { deliveries } = await client.query(DELIVERIES, { filter });
      expect(deliveries.totalCount).toBe(deliveries.edges.length);
      return deliveries.edges.map(({ node }: Edge) => node.status);
    };
    expect(await list({ statuses: ['FAILED', 'EXPIRED'] })).toEqual(['FAILED', 'EXPIRED', 'FAILED']);
    expect(await list({ statuses: ['DELIVERED', 'DELIVERED'] })).toEqual(['DELIVERED']);
    expect(await list({ statuses: ['FAILED', 'EXPIRED'], status: 'EXPIRED' })).toEqual(['EXPIRED']);
    expect(await list({ statuses: ['FAILED'], status: 'EXPIRED' })).toEqual([]);
    expect(await list({ statuses: [] })).toEqual([]);
    expect(await list({ statuses: null })).toHaveLength(5);
    expect(await list({ statuses: ['HELD'] })).toEqual([]);
    const below = `query ($id: ID!, $filter: DeliveryFilter) { connection(id: $id) { deliveries(filter: $filter) { totalCount } } }`;
    const filter = { statuses: ['FAILED', 'PENDING'] };
    expect((await client.query(below, { id: connectionId, filter })).connection.deliveries.totalCount).toBe(3);
    expect((await (await switchboard.anotherOrganization()).query(DELIVERIES, { filter })).deliveries.totalCount).toBe(0);
  });

  it.each([
    ['more than there are', Array(8).fill('FAILED'), /name each once at most in "statuses"/],
    ['one that does not exist', ['LOST'], /Expected type "DeliveryStatus/],
    ['far too many', Array(5_000).fill('FAILED'), /more than 2000 items/],
  ])('refuses %s', async (_what, statuses, message) => {
    const { status, errors } = await switchboard.client.send(DELIVERIES, { filter: { statuses } });
    expect([status, errors?.[0].extensions.code]).toEqual([400, 'BAD_USER_INPUT']);
    expect(errors?.[0].message).toMatch(message);
  });
});
