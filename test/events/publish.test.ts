import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import {
  createWebhookConnection,
  parcelEvent,
  publish,
  seeDeliveries,
  subscribe,
  tryPublish,
  waitForDelivery,
} from '../support/webhookFlow.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard({ DELIVERY_RETRY_DELAYS: '100ms' });
});
afterAll(() => switchboard.close());

const PUBLISH_MANY = `mutation ($events: [PublishEventInput!]!) {
  publishEvents(input: { events: $events }) { events { event { id } duplicate } userErrors { code path } }
}`;
const COUNT = '{ events { totalCount } }';

describe('publishEvent', () => {
  it('reaches a webhook as exactly { event_type, data }, and returns its result', async () => {
    const { client, publicUrl, sandbox } = switchboard;
    await subscribe(client, await createWebhookConnection(client, `${publicUrl}/sandbox/inbox/exact`));
    const eventId = await publish(client);
    expect(await waitForDelivery(client, eventId, 'DELIVERED')).toMatchObject({
      attemptCount: 1,
      nextAttemptAt: null,
      attempts: [{ number: 1, trigger: 'AUTOMATIC', statusCode: 200, error: null }],
    });
    const [received] = sandbox?.inbox.requests('exact') ?? [];
    expect(JSON.parse(received?.body ?? '')).toEqual({ event_type: 'parcels.event.created', data: parcelEvent() });
  });

  it('makes one delivery for each active subscription, none for a paused one', async () => {
    const client = await switchboard.anotherOrganization();
    const active = [
      await subscribe(client, await createWebhookConnection(client)),
      await subscribe(client, await createWebhookConnection(client)),
    ];
    await subscribe(client, await createWebhookConnection(client), false);
    const deliveries = await seeDeliveries(client, { eventId: await publish(client) });
    expect(deliveries.map(({ subscription }: { subscription: { id: string } }) => subscription.id).sort()).toEqual(active.sort());
  });

  it('holds deliveries of a connection that waits for its authorization', async () => {
    const client = await switchboard.anotherOrganization();
    const { createConnection } = await client.query(
      'mutation { createConnection(input: { type: KLAVIYO }) { connection { id } } }',
    );
    await subscribe(client, createConnection.connection.id);
    expect(await seeDeliveries(client, { eventId: await publish(client) })).toMatchObject([
      { status: 'HELD', nextAttemptAt: null },
    ]);
  });

  it('checks the data against the schema and names every place that is wrong', async () => {
    const { parcel, event } = parcelEvent();
    const data = { parcel: { ...parcel, parcel_id: 'x' }, event: { ...event, phase: 'flying', timestamp: undefined } };
    const { event: published, userErrors } = await tryPublish(switchboard.client, { data });
    expect(published).toBeNull();
    expect(userErrors.map(({ code, path }: { code: string; path: string[] }) => `${code} ${path.join('.')}`).sort()).toEqual([
      'INVALID data.parcel.parcel_id',
      'INVALID_CHOICE data.event.phase',
      'REQUIRED data.event.timestamp',
    ]);
  });

  it.each([
    ['an unknown event type', { eventType: 'parcels.nothing' }, 'INVALID_CHOICE', ['eventType']],
    ['one that only the server publishes', { eventType: 'connections.disabled' }, 'FORBIDDEN', ['eventType']],
    ['2 MB of data', { data: { ...parcelEvent(), padding: 'x'.repeat(2_000_000) } }, 'INVALID', ['data']],
    ['an empty idempotency key', { idempotencyKey: '' }, 'INVALID', ['idempotencyKey']],
    ['a recipient without any identifier', { recipient: {} }, 'REQUIRED', ['recipient']],
  ])('refuses %s and stores nothing', async (_what, input, code, path) => {
    const client = await switchboard.anotherOrganization();
    expect(await tryPublish(client, input)).toMatchObject({ event: null, userErrors: [{ code, path }] });
    expect((await client.query(COUNT)).events.totalCount).toBe(0);
  });

  it('twice with one idempotency key and the same content is one event, however the keys are ordered', async () => {
    const client = await switchboard.anotherOrganization();
    const data = parcelEvent();
    const first = await tryPublish(client, { idempotencyKey: 'k', data });
    const again = await tryPublish(client, { idempotencyKey: 'k', data: { event: data.event, parcel: data.parcel } });
    expect(first.duplicate).toBe(false);
    expect(again).toMatchObject({ duplicate: true, event: { id: first.event.id } });
    expect(await tryPublish(client, { idempotencyKey: 'k', data: parcelEvent(2) })).toMatchObject({
      event: null,
      userErrors: [{ code: 'CONFLICT', path: ['idempotencyKey'] }],
    });
  });

  it('twenty times at once with one idempotency key is one event', async () => {
    const client = await switchboard.anotherOrganization();
    await subscribe(client, await createWebhookConnection(client));
    const answers = await Promise.all(Array.from({ length: 20 }, () => tryPublish(client, { idempotencyKey: 'race' })));
    expect(new Set(answers.map(({ event }) => event.id))).toHaveLength(1);
    expect(answers.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect(await seeDeliveries(client, {})).toHaveLength(1);
  });

  it('keeps the recipient out of webhooks, and encrypted in the database', async () => {
    const { client, publicUrl, sandbox, database } = switchboard;
    await subscribe(client, await createWebhookConnection(client, `${publicUrl}/sandbox/inbox/private`));
    const eventId = await publish(client, { recipient: { email: 'anna@example.com' } });
    await waitForDelivery(client, eventId, 'DELIVERED');
    expect(JSON.stringify(sandbox?.inbox.requests('private'))).not.toContain('anna@example.com');
    const rows = await database.em().execute('select * from events where id = ?', [eventId]);
    expect(JSON.stringify(rows)).not.toContain('anna');
    expect(rows[0]?.recipient).toMatch(/^v1\./);
  });
});

describe('The fields of an event for Klaviyo', () => {
  const more = {
    recipient: { email: 'anna@example.com', firstName: 'Annabel' },
    ...{ occurredAt: '2026-01-15T10:30:00.000Z', value: 9.99, valueCurrency: 'EUR', properties: { Greeting: 'Dear Annabel' } },
  };

  it('can be read unless personal, go to webhooks in headers only, and are encrypted if personal', async () => {
    const { client, sql, publicUrl, sandbox } = switchboard;
    await subscribe(client, await createWebhookConnection(client, `${publicUrl}/sandbox/inbox/more`));
    const id = await publish(client, more);
    await waitForDelivery(client, id, 'DELIVERED');
    const query = 'query ($id: ID!) { event(id: $id) { occurredAt value valueCurrency createdAt } }';
    expect((await client.query(query, { id })).event).toMatchObject({
      ...{ occurredAt: '2026-01-15T10:30:00.000Z', value: 9.99, valueCurrency: 'EUR' },
    });
    const [received] = sandbox?.inbox.requests('more') ?? [];
    expect(JSON.parse(received?.body ?? '')).toEqual({ event_type: 'parcels.event.created', data: parcelEvent() });
    expect(received?.headers).toMatchObject({ 'webhook-event-id': id, 'webhook-event-time': '2026-01-15T10:30:00.000Z' });
    expect(JSON.stringify(await sql('select * from events where id = ?', [id]))).not.toMatch(/Annabel|anna@/);
    const plain = await publish(client);
    const { event } = await client.query(query, { id: plain });
    expect(event).toMatchObject({ occurredAt: event.createdAt, value: null, valueCurrency: null });
  });

  it('make it another event under the same idempotency key when any of them differs', async () => {
    const client = await switchboard.anotherOrganization();
    const first = await tryPublish(client, { ...more, idempotencyKey: 'k' });
    expect(await tryPublish(client, { ...more, idempotencyKey: 'k' })).toMatchObject({
      duplicate: true,
      event: { id: first.event.id },
    });
    // The comparison after the encryption key was rotated.
    await switchboard.sql('update events set content_hash = null where id = ?', [first.event.id]);
    expect(await tryPublish(client, { ...more, idempotencyKey: 'k' })).toMatchObject({ duplicate: true });
    for (const change of [
      { occurredAt: '2026-01-15T10:30:01Z' },
      { value: 10 },
      { valueCurrency: 'USD' },
      { properties: { Greeting: 'Hello' } },
      { properties: null },
    ]) {
      expect(await tryPublish(client, { ...more, ...change, idempotencyKey: 'k' })).toMatchObject({
        userErrors: [{ code: 'CONFLICT', path: ['idempotencyKey'] }],
      });
    }
  });

  it.each<[string, object, string, string[]]>([
    ['before 2000', { occurredAt: '1999-12-31T00:00:00Z' }, 'INVALID', ['occurredAt']],
    [
      'more than a year ahead',
      { occurredAt: new Date(Date.now() + 367 * 86_400_000).toISOString() },
      ...(['INVALID', ['occurredAt']] as [string, string[]]),
    ],
    ['a currency alone', { valueCurrency: 'EUR' }, 'REQUIRED', ['value']],
    ['no currency', { value: 1, valueCurrency: 'euro' }, 'INVALID', ['valueCurrency']],
    ['a nested property', { properties: { Address: { city: 'Utrecht' } } }, 'INVALID', ['properties', 'Address']],
    ['a list', { properties: { Items: ['a'] } }, 'INVALID', ['properties', 'Items']],
    ['a name of Klaviyo’s', { properties: { $value: 1 } }, 'INVALID', ['properties', '$value']],
    ['a name of two lines', { properties: { 'a\nb': 1 } }, 'INVALID', ['properties', 'a\nb']],
    ['a text that is too long', { properties: { Long: 'é'.repeat(50_001) } }, 'INVALID', ['properties', 'Long']],
    [
      'too many properties',
      { properties: Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`p${index}`, index])) },
      ...(['MAX_VALUE', ['properties']] as [string, string[]]),
    ],
    ['nobody', { recipient: { firstName: 'Anna' } }, 'REQUIRED', ['recipient']],
    ['a blank for a person', { recipient: { externalId: '   ' } }, 'REQUIRED', ['recipient']],
    ['no locale', { recipient: { email: 'a@example.com', locale: 'nl_NL!' } }, 'INVALID', ['recipient', 'locale']],
    ['a long name', { recipient: { email: 'a@example.com', lastName: 'n'.repeat(256) } }, 'INVALID', ['recipient', 'lastName']],
  ])('are refused: %s', async (_what, input, code, path) => {
    expect(await tryPublish(switchboard.client, input)).toMatchObject({ event: null, userErrors: [{ code, path }] });
  });
});

describe('publishEvents', () => {
  it('publishes up to 1,000 in the order of the input', async () => {
    const client = await switchboard.anotherOrganization();
    await subscribe(client, await createWebhookConnection(client));
    const events = Array.from({ length: 1_000 }, (_, index) => ({
      eventType: 'parcels.event.created',
      data: parcelEvent(index + 1),
    }));
    const { publishEvents } = await client.query(PUBLISH_MANY, { events });
    expect(publishEvents.events).toHaveLength(1_000);
    expect(await client.query('{ events { totalCount } deliveries { totalCount } }')).toEqual({
      events: { totalCount: 1_000 },
      deliveries: { totalCount: 1_000 },
    });
    const [first] = publishEvents.events;
    const { event } = await client.query('query ($id: ID!) { event(id: $id) { payload } }', { id: first.event.id });
    expect(event.payload).toEqual(parcelEvent(1));
  });

  it('publishes all or none', async () => {
    const client = await switchboard.anotherOrganization();
    const good = { eventType: 'parcels.event.created', data: parcelEvent() };
    const bad = { ...good, data: {} };
    const { publishEvents } = await client.query(PUBLISH_MANY, { events: [good, bad] });
    expect(publishEvents.events).toBeNull();
    expect(publishEvents.userErrors[0]).toEqual({ code: 'REQUIRED', path: expect.arrayContaining(['events', '1', 'data']) });
    expect((await client.query(COUNT)).events.totalCount).toBe(0);
  });

  it('rolls back the whole batch when one idempotency key conflicts', async () => {
    const client = await switchboard.anotherOrganization();
    await publish(client, { idempotencyKey: 'taken' });
    const input = (key: string, id: number) => ({
      eventType: 'parcels.event.created',
      data: parcelEvent(id),
      idempotencyKey: key,
    });
    const { publishEvents } = await client.query(PUBLISH_MANY, { events: [input('fresh', 1), input('taken', 2)] });
    expect(publishEvents.userErrors).toEqual([{ code: 'CONFLICT', path: ['events', '1', 'idempotencyKey'] }]);
    expect((await client.query(COUNT)).events.totalCount).toBe(1);
  });

  it('accepts 1 to 1,000 events', async () => {
    const events = Array.from({ length: 1_001 }, () => ({ eventType: 'parcels.event.created', data: parcelEvent() }));
    expect((await switchboard.client.query(PUBLISH_MANY, { events })).publishEvents.userErrors).toEqual([
      { code: 'MAX_VALUE', path: ['events'] },
    ]);
    expect((await switchboard.client.query(PUBLISH_MANY, { events: [] })).publishEvents.userErrors).toEqual([
      { code: 'REQUIRED', path: ['events'] },
    ]);
  });
});
