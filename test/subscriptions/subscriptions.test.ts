import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createWebhookConnection, publish, seeDeliveries, subscribe, trySubscribe } from '../support/webhookFlow.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
});
afterAll(() => switchboard.close());

const SEE = 'query ($id: ID!) { subscription(id: $id) { id eventType isActive connection { id } } }';
const LIST = 'query ($filter: SubscriptionFilter) { subscriptions(filter: $filter) { totalCount edges { node { id } } } }';
const UPDATE = `mutation ($input: UpdateSubscriptionInput!) {
  updateSubscription(input: $input) { subscription { id eventType isActive connection { id } } userErrors { code path } }
}`;
const DELETE = 'mutation ($id: ID!) { deleteSubscription(input: { id: $id }) { deletedId userErrors { code path } } }';

describe('Subscriptions (OpenAPI create_subscription, list_subscriptions, patch-, delete-subscription)', () => {
  it('are active unless created paused', async () => {
    const connectionId = await createWebhookConnection(switchboard.client);
    expect(await trySubscribe(switchboard.client, { connectionId })).toMatchObject({
      subscription: { eventType: 'parcels.event.created', isActive: true, connection: { id: connectionId } },
      userErrors: [],
    });
    const another = await createWebhookConnection(switchboard.client);
    expect(await trySubscribe(switchboard.client, { connectionId: another, isActive: false })).toMatchObject({
      subscription: { isActive: false },
    });
  });

  it('are listed by event type, activity and connection', async () => {
    const client = await switchboard.anotherOrganization();
    const [first, second] = [await createWebhookConnection(client), await createWebhookConnection(client)];
    const active = await subscribe(client, first);
    const paused = await subscribe(client, second, false);
    const notices = (await trySubscribe(client, { connectionId: second, eventType: 'connections.disabled' })).subscription.id;
    const listed = async (filter: object) =>
      (await client.query(LIST, { filter })).subscriptions.edges.map(({ node }: { node: { id: string } }) => node.id);
    expect(await listed({})).toEqual([notices, paused, active]);
    expect(await listed({ isActive: false })).toEqual([paused]);
    expect(await listed({ eventType: 'connections.disabled' })).toEqual([notices]);
    expect(await listed({ connectionId: second, isActive: true })).toEqual([notices]);
    expect(await listed({ connectionId: 'nonsense' })).toEqual([]);
  });

  it('update the given fields only', async () => {
    const { client } = switchboard;
    const [here, there] = [await createWebhookConnection(client), await createWebhookConnection(client)];
    const id = await subscribe(client, here);
    const paused = await client.query(UPDATE, { input: { id, isActive: false } });
    expect(paused.updateSubscription.subscription).toMatchObject({ isActive: false, connection: { id: here } });
    const moved = await client.query(UPDATE, { input: { id, connectionId: there } });
    expect(moved.updateSubscription.subscription).toMatchObject({ isActive: false, connection: { id: there } });
  });

  it("refuse an unknown event type and another organization's connection, and change nothing", async () => {
    const { client } = switchboard;
    const foreign = await createWebhookConnection(await switchboard.anotherOrganization());
    const connectionId = await createWebhookConnection(client);
    const id = await subscribe(client, connectionId);
    expect(await trySubscribe(client, { connectionId: foreign })).toMatchObject({
      subscription: null,
      userErrors: [{ code: 'NOT_FOUND', path: ['connectionId'] }],
    });
    expect(await trySubscribe(client, { connectionId, eventType: 'parcels.event.creatd' })).toMatchObject({
      userErrors: [{ code: 'INVALID_CHOICE', path: ['eventType'], message: expect.stringContaining('parcels.event.created') }],
    });
    const moved = await client.query(UPDATE, { input: { id, connectionId: foreign, isActive: false } });
    expect(moved.updateSubscription.userErrors).toEqual([{ code: 'NOT_FOUND', path: ['connectionId'] }]);
    expect((await client.query(SEE, { id })).subscription).toMatchObject({ isActive: true, connection: { id: connectionId } });
  });

  it('cancel their open deliveries when they are deleted, and keep the others', async () => {
    const { client } = switchboard;
    // No server listens there, so the delivery stays open.
    const id = await subscribe(client, await createWebhookConnection(client, 'http://127.0.0.1:9/'));
    const eventId = await publish(client);
    expect((await client.query(DELETE, { id })).deleteSubscription).toEqual({ deletedId: id, userErrors: [] });
    expect((await client.query(SEE, { id })).subscription).toBeNull();
    expect(await seeDeliveries(client, { subscriptionId: id })).toMatchObject([
      { status: 'CANCELLED', event: { id: eventId }, subscription: null },
    ]);
    expect((await client.query(DELETE, { id })).deleteSubscription.userErrors).toEqual([{ code: 'NOT_FOUND', path: ['id'] }]);
  });
});
