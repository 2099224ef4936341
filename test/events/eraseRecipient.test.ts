import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { takeErasureStep } from '../../src/events/eraseRecipient.js';
import { Inbox } from '../delivery/support/Inbox.js';
import { RestClient } from '../http/rest/support/RestClient.js';
import { dumpDatabase } from '../oauth/support/dumpDatabase.js';
import { eventually } from '../support/eventually.js';
import type { GraphQLClient } from '../support/GraphQLClient.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { testCipher } from '../support/testCipher.js';
import {
  createWebhookConnection,
  parcelEvent,
  publish,
  seeDeliveries,
  subscribe,
  tryPublish,
  waitForDelivery,
} from '../support/webhookFlow.js';

const ERASE = `mutation ($input: EraseRecipientInput!) { eraseRecipient(input: $input) {
  erasure { id status eventsLookedAt eventsErased deliveriesCancelled createdAt finishedAt } userErrors { code path } } }`;
const erase = async (client: GraphQLClient, input: object) => (await client.query(ERASE, { input })).eraseRecipient;
const seeErasure = async (client: GraphQLClient, id: string) =>
  (
    await client.query(
      'query ($id: ID!) { erasure(id: $id) { id status eventsLookedAt eventsErased deliveriesCancelled finishedAt } }',
      { id },
    )
  ).erasure;
const finished = (client: GraphQLClient, id: string) =>
  eventually(async () => {
    const erasure = await seeErasure(client, id);
    expect(erasure.status).toBe('COMPLETED');
    return erasure;
  });
const seeEvent = async (client: GraphQLClient, id: string) =>
  (await client.query('query ($id: ID!) { event(id: $id) { eventType payload idempotencyKey orderingKey erasedAt } }', { id }))
    .event;

describe('eraseRecipient', () => {
  let switchboard: TestSwitchboard;
  beforeAll(async () => {
    switchboard = await startSwitchboard();
  });
  afterAll(() => switchboard.close());

  const openInbox = async (...args: Parameters<typeof Inbox.open>) => {
    const inbox = await Inbox.open(...args);
    onTestFinished(() => inbox.close());
    return inbox;
  };
  const rawOf = (id: string) =>
    switchboard.sql('select recipient, properties, content_hash from events where id = ?', [id]).then(([row]) => row);

  it("erases a person's data everywhere, keeps events and deliveries as facts, and leaves others alone", async () => {
    const client = await switchboard.anotherOrganization();
    const inbox = await openInbox((response, { body }) => response.end(body.includes('jane@example.com') ? 'Hello Jane' : 'ok'));
    await subscribe(client, await createWebhookConnection(client, inbox.url));
    const jane = { email: 'jane@example.com', firstName: 'Jane', phoneNumber: '+31612345678', externalId: 'c-7' };
    const john = { email: 'mary.jane@example.com', externalId: 'c-70' };
    const about = async (input: object) => {
      const id = await publish(client, input);
      await waitForDelivery(client, id, 'DELIVERED');
      return id;
    };
    const inData = { ...parcelEvent(), note: { to: ['Sent to Jane@Example.com.'] } };
    const hers = [
      await about({ recipient: jane, idempotencyKey: 'order-1', properties: { greeting: 'Jane' } }),
      await about({ recipient: { externalId: 'C-7', email: 'JANE@example.com' }, orderingKey: 'parcel-1' }),
      await about({ data: inData, idempotencyKey: 'jane@example.com', orderingKey: 'of jane@example.com' }),
      await about({ properties: { contact: 'jane@example.com' } }),
    ];
    const others = [
      await about({ recipient: john, data: { ...parcelEvent(), note: 'mary.jane@example.com, jane@example.com.au' } }),
      await about({ data: { ...parcelEvent(), note: 'c-7' } }),
      await about({}),
    ];
    const stranger = await switchboard.anotherOrganization();
    const elsewhere = await publish(stranger, { recipient: jane });
    const othersBefore = await Promise.all(others.map((id) => seeEvent(client, id)));
    const deliveriesBefore = await Promise.all(hers.map((eventId) => seeDeliveries(client, { eventId })));
    expect(deliveriesBefore[2][0].attempts[0].responseBody).toBe('ok');

    const { erasure, userErrors } = await erase(client, { email: 'Jane@example.com', externalId: 'c-7' });
    expect([erasure.status, userErrors]).toEqual(['RUNNING', []]);
    expect(await finished(client, erasure.id)).toMatchObject({ eventsLookedAt: 7, eventsErased: 4, deliveriesCancelled: 0 });

    for (const [index, id] of hers.entries()) {
      const event = await seeEvent(client, id);
      expect(event).toMatchObject({ payload: {}, eventType: 'parcels.event.created', erasedAt: expect.any(String) });
      expect(await rawOf(id)).toEqual({ recipient: null, properties: null, content_hash: null });
      const [delivery] = await seeDeliveries(client, { eventId: id });
      const [before] = deliveriesBefore[index];
      expect(delivery).toEqual({
        ...before,
        attempts: before.attempts.map((attempt: object) => ({ ...attempt, responseBody: null })),
      });
    }
    expect(await seeEvent(client, hers[0] as string)).toMatchObject({ idempotencyKey: 'order-1' });
    expect(await seeEvent(client, hers[2] as string)).toMatchObject({ idempotencyKey: null, orderingKey: null });
    expect(await Promise.all(others.map((id) => seeEvent(client, id)))).toEqual(othersBefore);
    expect((await rawOf(elsewhere)).recipient).not.toBeNull();
    const [{ person, person_hash }] = await switchboard.sql('select person, person_hash from erasures where id = ?', [
      erasure.id,
    ]);
    expect([person, person_hash]).toEqual([null, '']);
    // The rest is in the event of another person, whose address ends in the same way.
    const dump = (await dumpDatabase(switchboard.testDatabase.url)).join('\n').toLowerCase();
    expect(dump.match(/(?<![.\w])jane@example\.com(?!\.au)/g) ?? []).toEqual([]);
  });

  it('prevents all of it from being published or sent again', async () => {
    const client = await switchboard.anotherOrganization();
    const inbox = await openInbox();
    const connection = await createWebhookConnection(client, inbox.url);
    await subscribe(client, connection);
    const input = { recipient: { email: 'twice@example.com' }, idempotencyKey: 'order-2' };
    const id = await publish(client, input);
    const delivery = await waitForDelivery(client, id, 'DELIVERED');
    await finished(client, (await erase(client, { email: 'twice@example.com' })).erasure.id);
    const { retryDelivery } = await client.query(
      'mutation ($id: ID!) { retryDelivery(input: { deliveryId: $id }) { delivery { id } userErrors { code message } } }',
      { id: delivery.id },
    );
    expect(retryDelivery.userErrors).toEqual([{ code: 'CONFLICT', message: 'The data of its event was erased.' }]);
    const { replayDeliveries } = await client.query(
      `mutation ($id: ID!) { replayDeliveries(input: { connectionId: $id, since: "2020-01-01T00:00:00Z", statuses: [DELIVERED, CANCELLED] }) { count } }`,
      { id: connection },
    );
    expect(replayDeliveries.count).toBe(0);
    expect((await tryPublish(client, input)).userErrors).toMatchObject([{ code: 'CONFLICT' }]);
    expect(inbox.received).toHaveLength(1);
  });

  it('cancels waiting deliveries, and lets the next one of the ordering key go', async () => {
    const client = await switchboard.anotherOrganization();
    const inbox = await openInbox((response, { body }) => {
      response.statusCode = body.includes('"parcel_id":1,') ? 500 : 200;
      response.end('answer');
    });
    await subscribe(client, await createWebhookConnection(client, inbox.url));
    const waiting = await publish(client, {
      ...{ data: parcelEvent(1), orderingKey: 'same', recipient: { phoneNumber: '+31612345678' } },
    });
    await waitForDelivery(client, waiting, 'RETRYING');
    const next = await publish(client, { data: parcelEvent(2), orderingKey: 'same' });
    const { erasure } = await erase(client, { phoneNumber: '+31612345678' });
    expect(await finished(client, erasure.id)).toMatchObject({ eventsErased: 1, deliveriesCancelled: 1 });
    const [delivery] = await seeDeliveries(client, { eventId: waiting });
    expect(delivery).toMatchObject({ status: 'CANCELLED', attempts: [{ statusCode: 500, responseBody: null }] });
    await waitForDelivery(client, next, 'DELIVERED');
  });

  it('waits for an attempt in flight, and erases its response too', async () => {
    const client = await switchboard.anotherOrganization();
    let answer = (): void => {};
    const inbox = await openInbox((response) => {
      answer = () => response.end('Hello, slow one');
    });
    await subscribe(client, await createWebhookConnection(client, inbox.url));
    const id = await publish(client, { recipient: { email: 'slow@example.com' } });
    await eventually(() => expect(inbox.received).toHaveLength(1));
    const { erasure } = await erase(client, { email: 'slow@example.com' });
    await eventually(async () => expect((await seeErasure(client, erasure.id)).deliveriesCancelled).toBe(1));
    expect((await seeErasure(client, erasure.id)).status).toBe('RUNNING');
    answer();
    expect(await finished(client, erasure.id)).toMatchObject({ eventsErased: 1 });
    const [delivery] = await seeDeliveries(client, { eventId: id });
    expect(delivery).toMatchObject({ status: 'DELIVERED', attempts: [{ statusCode: 200, responseBody: null }] });
  });

  it('erases responses that are stored for an Idempotency-Key', async () => {
    const client = await switchboard.anotherOrganization();
    const inbox = await openInbox((response) => response.end('For kept@example.com'));
    const subscription = await subscribe(client, await createWebhookConnection(client, inbox.url));
    const rest = new RestClient(switchboard.publicUrl, client.authorization);
    const test = (key: string) => rest.send('POST', `/broadcast/test/${subscription}`, undefined, { 'idempotency-key': key });
    const first = await test('one');
    expect([first.status, JSON.stringify(first.body)]).toEqual([200, expect.stringContaining('kept@example.com')]);
    await test('kept@example.com');
    await finished(client, (await erase(client, { email: 'kept@example.com' })).erasure.id);
    const again = await test('one');
    expect([again.status, JSON.stringify(again.body)]).toEqual([409, expect.not.stringContaining('kept@example.com')]);
    const rows = await switchboard.sql('select key, answer from idempotent_requests where organization_id = ?', [
      client.keys.organizationId,
    ]);
    expect(rows).toEqual([{ key: 'one', answer: null }]);
  });

  it('is for keys with "admin", and requires an identifier', async () => {
    const client = await switchboard.anotherOrganization();
    expect((await erase(client, {})).userErrors).toEqual([{ code: 'REQUIRED', path: ['email'] }]);
    expect((await erase(client, { externalId: '' })).userErrors).toEqual([{ code: 'INVALID', path: ['externalId'] }]);
    const issued = await fetch(`${switchboard.publicUrl}/oauth2/token`, {
      ...{ method: 'POST', headers: { authorization: client.authorization } },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    const authorization = `Bearer ${((await issued.json()) as { access_token: string }).access_token}`;
    const refused = await client.send(ERASE, { input: { externalId: 'x' } }, { authorization });
    expect([refused.status, refused.errors?.[0].extensions.code]).toEqual([403, 'FORBIDDEN']);
    expect(await seeErasure(client, '0193b5a0-0000-7000-8000-000000000000')).toBeNull();
    expect(await seeErasure(client, 'x')).toBeNull();
  });
});

describe('An erasure', () => {
  it('is not restarted by another call, and continues after an interrupted step', async () => {
    const api = await startSwitchboard({ ROLE: 'api' });
    try {
      const { client } = api;
      const id = await publish(client, { recipient: { email: 'many@example.com' } });
      const asked = await Promise.all(Array.from({ length: 5 }, () => erase(client, { email: 'many@example.com' })));
      expect(new Set(asked.map(({ erasure }) => erasure.id))).toHaveLength(1);
      expect((await erase(client, { email: 'another@example.com' })).erasure.id).not.toBe(asked[0].erasure.id);
      await api.sql('delete from erasures where id <> ?', [asked[0].erasure.id]);
      // Adds 450 events of other people around it.
      await api.sql(`
        insert into events (id, organization_id, event_type, payload, created_at)
        select overlay(id::text placing lpad(n::text, 12, '0') from 25)::uuid, organization_id, event_type, payload, created_at
        from events, generate_series(1, 450) n`);
      await api.sql("update erasures set created_at = now() - interval '3 seconds'");
      const step = {
        database: api.database,
        cipher: testCipher,
        log: { error: () => {} } as never,
        forgetAnswers: async () => {},
      };
      const dying = {
        ...step,
        forgetAnswers: async () => {
          throw new Error('The process dies here.');
        },
      };
      expect(await takeErasureStep(step)).toBe('taken');
      expect(await seeErasure(client, asked[0].erasure.id)).toMatchObject({ status: 'RUNNING', eventsLookedAt: 200 });
      await Promise.all([takeErasureStep(step), takeErasureStep(step)]);
      while ((await takeErasureStep(dying)) === 'taken' && (await failures()) === 0);
      expect(await seeErasure(client, asked[0].erasure.id)).toMatchObject({ status: 'RUNNING' });
      await api.sql('update erasures set run_at = now()');
      while ((await takeErasureStep(step)) === 'taken');
      expect(await seeErasure(client, asked[0].erasure.id)).toMatchObject({
        ...{ status: 'COMPLETED', eventsLookedAt: 451, eventsErased: 1 },
      });
      expect((await seeEvent(client, id)).payload).toEqual({});
      async function failures(): Promise<number> {
        return (await api.sql('select failures from erasures'))[0].failures;
      }
    } finally {
      await api.close();
    }
  });
});
