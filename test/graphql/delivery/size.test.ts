import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deleteOldEvents } from '../../../src/events/deleteOldEvents.js';
import { Inbox, status } from '../../delivery/support/Inbox.js';
import { eventually } from '../../support/eventually.js';
import type { GraphQLClient } from '../../support/GraphQLClient.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { createWebhookConnection, parcelEvent, publish, subscribe } from '../../support/webhookFlow.js';

let switchboard: TestSwitchboard;
let inbox: Inbox;
beforeAll(async () => {
  inbox = await Inbox.open();
  switchboard = await startSwitchboard({ MAX_WAITING_DELIVERIES: '40', DELIVERY_RETRY_DELAYS: '1h' });
});
afterAll(async () => {
  await switchboard.close();
  await inbox.close();
});

const REPLAY = `mutation ($input: ReplayDeliveriesInput!) {
  replayDeliveries(input: $input) { count replay { id status count finishedAt } userErrors { code path } }
}`;
const since = '2020-01-01T00:00:00Z';

describe('A replay', () => {
  it('selects deliveries by its filter, and its progress can be read', async () => {
    const client = await switchboard.anotherOrganization();
    const connectionId = await createWebhookConnection(client, inbox.url);
    const subscriptionId = await subscribe(client, connectionId);
    inbox.answer = status(500);
    for (let n = 0; n < 5; n++) await publish(client);
    await eventually(async () => {
      const { deliveries } = await client.query('{ deliveries(filter: { status: RETRYING }) { totalCount } }');
      expect(deliveries.totalCount).toBe(5);
    });
    inbox.answer = status(200);
    const replay = async (more: object) =>
      (await client.query(REPLAY, { input: { connectionId, since, ...more } })).replayDeliveries;
    expect(await replay({})).toMatchObject({ count: 0, userErrors: [] });
    expect(await replay({ statuses: ['RETRYING'], eventType: 'connections.disabled' })).toMatchObject({ count: 0 });
    expect(await replay({ statuses: ['RETRYING'], until: '2020-01-02T00:00:00Z' })).toMatchObject({ count: 0 });
    expect(await replay({ statuses: ['PENDING'] })).toMatchObject({
      replay: null,
      userErrors: [{ code: 'INVALID_CHOICE', path: ['statuses', '0'] }],
    });
    const done = await replay({ statuses: ['FAILED', 'RETRYING'], subscriptionId });
    expect(done).toMatchObject({ count: 5, replay: { status: 'COMPLETED', count: 5 } });
    const read = await client.query('query ($id: ID!) { replay(id: $id) { id status count } }', { id: done.replay.id });
    expect(read.replay).toEqual({ id: done.replay.id, status: 'COMPLETED', count: 5 });
    await eventually(async () => {
      const { deliveries } = await client.query('{ deliveries(filter: { status: DELIVERED }) { totalCount } }');
      expect(deliveries.totalCount).toBe(5);
    });
  });
});

describe('Settings of a connection', () => {
  it('are set, read, changed and removed; invalid values are refused', async () => {
    const client = await switchboard.anotherOrganization();
    const create = `mutation ($input: CreateConnectionInput!) { createConnection(input: $input) {
      connection { id maxConcurrency maxPerSecond } userErrors { code path } } }`;
    const input = { type: 'WEBHOOK', webhook: { url: inbox.url } };
    const made = (await client.query(create, { input: { ...input, maxConcurrency: 4, maxPerSecond: 10 } })).createConnection;
    expect(made.connection).toMatchObject({ maxConcurrency: 4, maxPerSecond: 10 });
    const bad = (await client.query(create, { input: { ...input, maxConcurrency: 0, maxPerSecond: 1_000_000 } }))
      .createConnection;
    expect(bad.userErrors).toEqual([
      { code: 'MIN_VALUE', path: ['maxConcurrency'] },
      { code: 'MAX_VALUE', path: ['maxPerSecond'] },
    ]);
    const update = `mutation ($input: UpdateConnectionInput!) { updateConnection(input: $input) {
      connection { maxConcurrency maxPerSecond } userErrors { code } } }`;
    const changed = async (more: object) =>
      (await client.query(update, { input: { id: made.connection.id, ...more } })).updateConnection.connection;
    expect(await changed({ name: 'Shop' })).toEqual({ maxConcurrency: 4, maxPerSecond: 10 });
    expect(await changed({ maxConcurrency: null, maxPerSecond: 3 })).toEqual({ maxConcurrency: null, maxPerSecond: 3 });
  });
});

describe('Publishing', () => {
  it('records the ordering key and refuses an invalid one', async () => {
    const client = await switchboard.anotherOrganization();
    const PUBLISH = `mutation ($input: PublishEventInput!) { publishEvent(input: $input) { event { id orderingKey } userErrors { code path } } }`;
    const input = { eventType: 'parcels.event.created', data: parcelEvent() };
    const { publishEvent } = await client.query(PUBLISH, { input: { ...input, orderingKey: 'parcel-1' } });
    expect(publishEvent.event.orderingKey).toBe('parcel-1');
    const refused = await client.query(PUBLISH, { input: { ...input, orderingKey: '' } });
    expect(refused.publishEvent.userErrors).toEqual([{ code: 'INVALID', path: ['orderingKey'] }]);
  });

  it('accepts an escaped backslash before u0000, which is not a null character, and refuses a null character', async () => {
    const client = await switchboard.anotherOrganization();
    const withText = (text: string) => ({
      data: { ...parcelEvent(), parcel: { ...parcelEvent().parcel, tracking_number: text } },
    });
    await publish(client, withText('a\\u0000b'));
    await publish(client, withText('\\\\u0000'));
    await expect(publish(client, withText('a\u0000b'))).rejects.toThrow('null character');
    await expect(publish(client, withText('\\\u0000'))).rejects.toThrow('null character');
  });

  it('is refused with 429 while the limit of waiting deliveries is reached, and accepted afterwards', async () => {
    const client = await switchboard.anotherOrganization();
    const connectionId = await createWebhookConnection(client, inbox.url);
    await subscribe(client, connectionId);
    const switchTo = (isEnabled: boolean) =>
      client.query('mutation ($input: UpdateConnectionInput!) { updateConnection(input: $input) { userErrors { code } } }', {
        input: { id: connectionId, isEnabled },
      });
    await switchTo(false);
    let published = 0;
    const flood = async () => {
      for (; published < 100; published++) await publish(client);
    };
    await expect(flood()).rejects.toThrow('TOO_MANY_WAITING');
    expect(published).toBeGreaterThanOrEqual(40);
    expect(published).toBeLessThanOrEqual(41);
    inbox.answer = status(200);
    await switchTo(true);
    await eventually(async () => {
      const { deliveries } = await client.query('{ deliveries(filter: { status: DELIVERED }) { totalCount } }');
      expect(deliveries.totalCount).toBe(published);
    });
    await publish(client);
  });
});

const organizationOf = async (client: GraphQLClient) => Number((await client.query('{ organization { id } }')).organization.id);
const disableAll = async (client: GraphQLClient) =>
  switchboard.sql("update connections set status = 'disabled' where organization_id = ?", [await organizationOf(client)]);

describe('A publish for several subscriptions', () => {
  const PUBLISH = `mutation ($input: PublishEventsInput!) { publishEvents(input: $input) { events { event { id } } userErrors { code } } }`;
  const events = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ eventType: 'parcels.event.created', data: parcelEvent(n + 1) }));

  it('counts with all its deliveries: a publish beyond the quota is refused as a whole, with Retry-After', async () => {
    const client = await switchboard.anotherOrganization();
    for (let index = 0; index < 4; index++) await subscribe(client, await createWebhookConnection(client, inbox.url));
    await disableAll(client);
    const accept = { accept: 'application/graphql-response+json' };
    const send = (count: number) => client.send(PUBLISH, { input: { events: events(count) } }, accept);
    const waiting = async () => {
      const { deliveries, events: all } = await client.query('{ deliveries { totalCount } events { totalCount } }');
      return [deliveries.totalCount, all.totalCount];
    };
    const tooLarge = await send(11);
    expect(tooLarge).toMatchObject({ status: 429, errors: [{ extensions: { code: 'TOO_MANY_WAITING' } }] });
    expect(Number(tooLarge.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await waiting()).toEqual([0, 0]);
    expect((await send(9)).errors).toBeUndefined();
    expect(await send(2)).toMatchObject({ status: 429, errors: [{ extensions: { code: 'TOO_MANY_WAITING' } }] });
    expect((await send(1)).errors).toBeUndefined();
    expect(await waiting()).toEqual([40, 10]);
  });

  it('never exceeds the quota by concurrent publishes', async () => {
    const client = await switchboard.anotherOrganization();
    for (let index = 0; index < 4; index++) await subscribe(client, await createWebhookConnection(client, inbox.url));
    await disableAll(client);
    const answers = await Promise.all(Array.from({ length: 8 }, () => client.send(PUBLISH, { input: { events: events(3) } })));
    expect(answers.filter(({ errors }) => !errors)).toHaveLength(3);
    const { deliveries } = await client.query('{ deliveries { totalCount } }');
    expect(deliveries.totalCount).toBe(36);
  });
});

describe('totalCount', () => {
  it('counts up to 10,000, however long the history is', async () => {
    const client = await switchboard.anotherOrganization();
    const connectionId = await createWebhookConnection(client, inbox.url);
    const subscriptionId = await subscribe(client, connectionId);
    const eventId = await publish(client);
    const more = async (count: number) => {
      await switchboard.sql(
        `insert into deliveries (id, organization_id, event_id, subscription_id, connection_id, event_type, status)
        select gen_random_uuid(), ?, ?, ?, ?, 'parcels.event.created', 'failed' from generate_series(1, ?)`,
        [await organizationOf(client), eventId, subscriptionId, connectionId, count],
      );
    };
    const count = async () => {
      const query = '{ deliveries { totalCount } failed: deliveries(first: 1, filter: { status: FAILED }) { totalCount } }';
      const { deliveries, failed } = await client.query(query);
      return [deliveries.totalCount, failed.totalCount];
    };
    await more(9_998);
    expect(await count()).toEqual([9_999, 9_998]);
    await more(50);
    expect(await count()).toEqual([10_000, 10_000]);
  });
});

describe('Retention', () => {
  it('deletes old finished events, keeps waiting ones, and stops when told to', async () => {
    const client = await switchboard.anotherOrganization();
    const old = [await publish(client), await publish(client)];
    const connectionId = await createWebhookConnection(client, inbox.url);
    await subscribe(client, connectionId);
    await client.query('mutation ($input: UpdateConnectionInput!) { updateConnection(input: $input) { userErrors { code } } }', {
      input: { id: connectionId, isEnabled: false },
    });
    const held = await publish(client);
    const aged = '01000000-0000-7000-8000-';
    for (const [index, id] of [...old, held].entries()) {
      await switchboard.sql('update deliveries set event_id = event_id where event_id = ?', [id]);
      await switchboard.sql("update events set created_at = now() - interval '40 days' where id = ?", [id]);
      if (id !== held)
        await switchboard.sql('update events set id = ? where id = ?', [`${aged}${String(index).padStart(12, '0')}`, id]);
    }
    const stopped = new AbortController();
    stopped.abort();
    expect(await deleteOldEvents(switchboard, 30 * 86_400_000, stopped.signal)).toBe(0);
    expect(await deleteOldEvents(switchboard, 30 * 86_400_000)).toBe(2);
    const { event } = await client.query('query ($id: ID!) { event(id: $id) { id } }', { id: held });
    expect(event).toEqual({ id: held });
  });
});
