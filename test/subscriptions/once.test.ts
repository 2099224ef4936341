import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Database } from '../../src/database/Database.js';
import { migrate } from '../../src/database/migrate.js';
import { createTestDatabase } from '../support/createTestDatabase.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createWebhookConnection, publish, seeDeliveries, subscribe, trySubscribe } from '../support/webhookFlow.js';

let switchboard: TestSwitchboard;
let other: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
  other = await startSwitchboard({ ROLE: 'api' }, switchboard.testDatabase);
});
afterAll(async () => {
  await other.close();
  await switchboard.close();
});

const UPDATE = `mutation ($input: UpdateSubscriptionInput!) {
  updateSubscription(input: $input) { subscription { id eventType isActive connection { id } } userErrors { code message path } }
}`;
const change = async (input: object) => (await switchboard.client.query(UPDATE, { input })).updateSubscription;
const conflict = (id: string, note = '') => ({
  subscription: null,
  userErrors: [
    {
      code: 'CONFLICT',
      message: `This connection has a subscription to parcels.event.created already: ${id}${note}. Change or delete that one.`,
      path: ['eventType'],
    },
  ],
});

describe('A connection has one subscription for each event type', () => {
  it('refuses a second one with a CONFLICT that names the first, also a paused one', async () => {
    const { client } = switchboard;
    const connectionId = await createWebhookConnection(client);
    const id = await subscribe(client, connectionId);
    expect(await trySubscribe(client, { connectionId })).toEqual(conflict(id));
    await change({ id, isActive: false });
    expect(await trySubscribe(client, { connectionId })).toEqual(conflict(id, ', which is paused'));
    expect(await trySubscribe(client, { connectionId, eventType: 'connections.disabled' })).toMatchObject({ userErrors: [] });
  });

  it('after thirty clicks at once, in two processes, and each event is delivered once', async () => {
    const { client } = switchboard;
    const connectionId = await createWebhookConnection(client);
    const query =
      'mutation ($id: ID!) { createSubscription(input: { connectionId: $id, eventType: "parcels.event.created" }) { subscription { id } userErrors { code } } }';
    const clients = [switchboard.publicUrl, other.publicUrl];
    const answers = await Promise.all(
      Array.from({ length: 30 }, async (_, index) => {
        const response = await fetch(`${clients[index % 2]}/graphql`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: client.authorization },
          body: JSON.stringify({ query, variables: { id: connectionId } }),
        });
        const { data } = (await response.json()) as {
          data: { createSubscription: { subscription: object | null; userErrors: object[] } };
        };
        return data.createSubscription;
      }),
    );
    expect(answers.filter(({ subscription }) => subscription !== null)).toHaveLength(1);
    expect(answers.filter(({ subscription }) => subscription === null)).toEqual(
      Array.from({ length: 29 }, () => ({ subscription: null, userErrors: [{ code: 'CONFLICT' }] })),
    );
    const event = await publish(client);
    const there = (await seeDeliveries(client, { eventId: event, connectionId })) as object[];
    expect(there).toHaveLength(1);
  });

  it('also after a change of type or connection; a change without effect is not refused', async () => {
    const { client } = switchboard;
    const [here, there] = [await createWebhookConnection(client), await createWebhookConnection(client)];
    const [first, second] = [await subscribe(client, here), await subscribe(client, there)];
    const notices = (await trySubscribe(client, { connectionId: here, eventType: 'connections.disabled' })).subscription.id;
    expect(await change({ id: second, connectionId: here })).toEqual(conflict(first));
    expect(await change({ id: notices, eventType: 'parcels.event.created' })).toEqual(conflict(first));
    expect(await change({ id: first, connectionId: here, eventType: 'parcels.event.created' })).toMatchObject({ userErrors: [] });
    expect(await change({ id: notices, connectionId: there })).toMatchObject({
      subscription: { id: notices, eventType: 'connections.disabled', connection: { id: there } },
    });
  });

  it('over REST with status 400 and the same message', async () => {
    const { client, publicUrl } = switchboard;
    const connectionId = await createWebhookConnection(client);
    const id = await subscribe(client, connectionId);
    const answer = await fetch(`${publicUrl}/api/v3/event-subscriptions/subscriptions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: client.authorization },
      body: JSON.stringify({ connection_id: Number(connectionId), event_type: 'parcels.event.created' }),
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      errors: [{ code: 'non_field_errors', detail: expect.stringContaining(`already: ${id}.`) }],
    });
  });

  it('by a constraint of the database', async () => {
    const connectionId = await createWebhookConnection(switchboard.client);
    await subscribe(switchboard.client, connectionId);
    await expect(
      switchboard.sql(
        `insert into subscriptions (organization_id, connection_id, event_type)
         select organization_id, connection_id, event_type from subscriptions where connection_id = ?`,
        [connectionId],
      ),
    ).rejects.toThrow(/subscriptions_event_type_unique/);
  });
});

describe('Subscriptions from before', () => {
  it('of the same type on a connection are merged: the oldest stays, active if any was, with all deliveries', async () => {
    const testDatabase = await createTestDatabase();
    onTestFinished(() => testDatabase.drop());
    const database = await Database.open({ url: testDatabase.url });
    onTestFinished(() => database.close());
    const run = (statement: string) => database.em().getConnection().execute(statement);
    await run('drop schema public cascade; create schema public');
    await database.orm.migrator.up({ to: '0006_remember_refresh_problems' });
    await run(`
      insert into organizations (id, name) values (1, 'Acme');
      insert into connections (id, organization_id, type, status, configuration)
      values (1, 1, 'webhook', 'active', '{}'), (2, 1, 'webhook', 'active', '{}');
      insert into subscriptions (id, organization_id, connection_id, event_type, is_active) values
        (1, 1, 1, 'a', false), (2, 1, 1, 'a', true), (3, 1, 1, 'a', false), (4, 1, 1, 'b', false), (5, 1, 2, 'a', false), (6, 1, 2, 'a', false);
      insert into events (id, organization_id, event_type, payload) values ('019a0000-0000-7000-8000-000000000000', 1, 'a', '{}');
      insert into deliveries (id, organization_id, event_id, subscription_id, connection_id, event_type, status)
      select gen_random_uuid(), 1, '019a0000-0000-7000-8000-000000000000', s.id, s.connection_id, 'a', 'pending' from subscriptions s`);
    await migrate(database);
    expect(await run('select id, connection_id, event_type, is_active from subscriptions order by id')).toEqual([
      { id: '1', connection_id: '1', event_type: 'a', is_active: true },
      { id: '4', connection_id: '1', event_type: 'b', is_active: false },
      { id: '5', connection_id: '2', event_type: 'a', is_active: false },
    ]);
    expect(
      await run('select subscription_id, count(*)::int from deliveries group by subscription_id order by subscription_id'),
    ).toEqual([
      { subscription_id: '1', count: 3 },
      { subscription_id: '4', count: 1 },
      { subscription_id: '5', count: 2 },
    ]);
  });
});
