import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { broadcastTestEvent } from '../../src/delivery/broadcastTestEvent.js';
import type { Destination } from '../../src/delivery/Destination.js';
import { createGuardedHttp } from '../../src/delivery/http/guardedHttp.js';
import { replayDeliveries } from '../../src/delivery/replayDeliveries.js';
import { retryDelivery } from '../../src/delivery/retryDelivery.js';
import { ensureSigningSecret, revealSigningSecret, rotateSigningSecret } from '../../src/delivery/signingSecrets.js';
import { WebhookDestination } from '../../src/delivery/WebhookDestination.js';
import { eventually } from '../support/eventually.js';
import { status } from './support/Inbox.js';
import { testbedOfFile } from './support/testbedOfFile.js';

const test = testbedOfFile();
const many = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));
const deps = (engine?: { wake(): void }) => ({
  database: test.bed.database,
  deliverySignal: { notify: () => engine?.wake() },
});
const refusal = (code: string) => expect.objectContaining({ problems: [expect.objectContaining({ code })] });
const stranger = () => ({ ...test.bed.caller, organizationId: test.bed.organizationId + 1 });

describe('retryDelivery', () => {
  it('replaces the pending retry; if it fails, that retry follows', async () => {
    const { bed } = test;
    const inbox = await test.inbox((response, _received, count) => response.writeHead(count < 3 ? 500 : 200).end());
    await bed.subscribed(inbox.url);
    const engine = bed.engine({ options: { retryDelaysMs: [60_000, 120_000] } });
    await engine.start();
    await bed.publish([{}]);
    await eventually(async () => expect(await bed.counts()).toEqual({ retrying: 1 }));
    const [delivery] = await bed.deliveries();
    const returned = await retryDelivery(deps(engine), bed.caller, { deliveryId: delivery?.id ?? '' });
    expect(returned).toMatchObject({ id: delivery?.id, status: 'retrying' });
    await eventually(async () => expect(await bed.attempts()).toHaveLength(2));
    const [after] = await bed.deliveries();
    expect(after).toMatchObject({ status: 'retrying', attempt_count: 2, retry_count: 1, next_trigger: 'automatic' });
    expect((after?.due_ms ?? 0) - Date.now()).toBeGreaterThan(40_000);
    expect((after?.due_ms ?? 0) - Date.now()).toBeLessThan(75_000);

    await retryDelivery(deps(engine), bed.caller, { deliveryId: delivery?.id ?? '' });
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 1 }));
    expect(await bed.attempts()).toMatchObject([
      { number: 1, trigger: 'automatic' },
      { number: 2, trigger: 'manual' },
      { number: 3, trigger: 'manual', status_code: 200 },
    ]);
  });

  it('retries a FAILED delivery once, and it is FAILED again', async () => {
    const { bed } = test;
    const inbox = await test.inbox(status(500));
    await bed.subscribed(inbox.url);
    const engine = bed.engine({ options: { retryDelaysMs: [10] } });
    await engine.start();
    await bed.publish([{}]);
    await eventually(async () => expect(await bed.counts()).toEqual({ failed: 1 }));
    const [delivery] = await bed.deliveries();
    await retryDelivery(deps(engine), bed.caller, { deliveryId: delivery?.id ?? '' });
    await eventually(async () => expect(await bed.attempts()).toHaveLength(3));
    expect(await bed.counts()).toEqual({ failed: 1 });
  });

  it('sends a DELIVERED delivery again, with the same id', async () => {
    const { bed } = test;
    const inbox = await test.inbox();
    await bed.subscribed(inbox.url);
    const engine = bed.engine();
    await engine.start();
    await bed.publish([{}]);
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 1 }));
    const [delivery] = await bed.deliveries();
    await retryDelivery(deps(engine), bed.caller, { deliveryId: delivery?.id ?? '' });
    await eventually(async () => expect(await bed.attempts()).toHaveLength(2));
    expect(inbox.ids).toEqual([delivery?.id, delivery?.id]);
  });

  it('goes ahead of the queue, and bypasses the circuit breaker as its probe', async () => {
    const { bed } = test;
    const inbox = await test.inbox();
    const { connectionId } = await bed.subscribed(inbox.url);
    await bed.publish(many(50));
    await bed.rows(sql`
      insert into connection_health (connection_id, consecutive_failures, failing_since, pauses, paused_until)
      values (${connectionId}, 50, now(), 3, now() + interval '1 hour')`);
    const engine = bed.engine();
    await engine.start();
    const last = (await bed.deliveries()).at(-1);
    await retryDelivery(deps(engine), bed.caller, { deliveryId: last?.id ?? '' });
    await eventually(() => expect(inbox.received.length).toBeGreaterThan(0));
    expect(inbox.ids[0]).toBe(last?.id);
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 50 }));
  });

  it('is refused while an attempt is in flight', async () => {
    const { bed } = test;
    const inbox = await test.inbox((response) => void setTimeout(() => response.end(), 500));
    await bed.subscribed(inbox.url);
    await bed.engine().start();
    await bed.publish([{}]);
    await eventually(() => expect(inbox.open).toBe(1));
    const [delivery] = await bed.deliveries();
    await expect(retryDelivery(deps(), bed.caller, { deliveryId: delivery?.id ?? '' })).rejects.toEqual(refusal('CONFLICT'));
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 1 }));
    expect(await bed.attempts()).toHaveLength(1);
  });

  it('is refused for another organization’s, unknown and held deliveries, and for those without a connection', async () => {
    const { bed } = test;
    const { connectionId, subscriptionId } = await bed.subscribed('http://127.0.0.1:1/');
    await bed.publish([{}]);
    const deliveryId = (await bed.deliveries())[0]?.id ?? '';
    const retry = (id = deliveryId, caller = bed.caller) => retryDelivery(deps(), caller, { deliveryId: id });
    await expect(retry(deliveryId, stranger())).rejects.toEqual(refusal('NOT_FOUND'));
    await expect(retry('nonsense')).rejects.toEqual(refusal('NOT_FOUND'));
    await bed.rows(sql`update deliveries set status = 'held'`);
    await expect(retry()).rejects.toEqual(refusal('CONFLICT'));
    await bed.rows(sql`update deliveries set status = 'failed'`);
    await bed.rows(sql`update connections set status = 'disabled'`);
    await expect(retry()).rejects.toThrow('not active');
    await bed.rows(sql`update connections set status = 'active'`);
    await bed.rows(sql`delete from subscriptions where id = ${subscriptionId}`);
    await expect(retry()).rejects.toThrow('subscription was deleted');
    await bed.rows(sql`delete from connections where id = ${connectionId}`);
    await expect(retry()).rejects.toThrow('connection was deleted');
  });
});

describe('replayDeliveries', () => {
  it('sends everything again that failed on a connection since a time, in order, and counts it', async () => {
    const { bed } = test;
    let broken = true;
    const inbox = await test.inbox((response) => response.writeHead(broken ? 500 : 200).end());
    const { connectionId } = await bed.subscribed(inbox.url);
    const other = await bed.subscribed(inbox.url, { eventType: 'other.event' });
    const options = { retryDelaysMs: [], breaker: { failures: 1_000, pauseMs: 1, maxPauseMs: 1 }, concurrencyPerConnection: 1 };
    const engine = bed.engine({ options });
    await engine.start();
    await bed.publish(many(40));
    await bed.publish(many(3), 'other.event');
    await eventually(async () => expect(await bed.counts()).toEqual({ failed: 43 }));
    await bed.rows(sql`update deliveries set created_at = now() - interval '2 days' where id in (
      select id from deliveries where connection_id = ${connectionId} order by id limit 10)`);
    broken = false;
    inbox.received.length = 0;
    const since = new Date(Date.now() - 86_400_000);
    const replay = deps(engine);
    expect((await replayDeliveries(replay, bed.caller, { connectionId: String(connectionId), since })).count).toBe(30);
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 30, failed: 13 }));
    expect(inbox.data).toEqual(many(40).slice(10));
    const attempts = (await bed.attempts()).filter((attempt) => attempt.status_code === 200);
    expect(new Set(attempts.map(({ trigger, number }) => `${trigger} ${number}`))).toEqual(new Set(['manual 2']));
    expect((await replayDeliveries(replay, bed.caller, { connectionId: String(connectionId), since })).count).toBe(0);

    await expect(replayDeliveries(replay, stranger(), { connectionId: String(connectionId), since })).rejects.toEqual(
      refusal('NOT_FOUND'),
    );
    await bed.rows(sql`update connections set status = 'disabled' where id = ${other.connectionId}`);
    await expect(replayDeliveries(replay, bed.caller, { connectionId: String(other.connectionId), since })).rejects.toEqual(
      refusal('CONFLICT'),
    );
  });
});

describe('broadcastTestEvent', () => {
  const broadcast = (subscriptionId: number, caller = test.bed.caller, other?: Destination) => {
    const { database, cipher } = test.bed;
    const http = createGuardedHttp({ allowPrivateNetworks: ['127.0.0.0/8'], timeoutMs: 1_000 });
    const webhook = new WebhookDestination({
      http,
      cipher,
      timeoutMs: 1_000,
      ensureSigningSecret: (id) => ensureSigningSecret({ database, cipher }, id),
    });
    const destinations = new Map<string, Destination>([[webhook.type, other ?? webhook]]);
    const eventTypes = { get: (name: string) => (name === 'test.event' ? { sample: { sample: true } } : undefined) };
    return broadcastTestEvent({ database, cipher, destinations, eventTypes }, caller, { subscriptionId: String(subscriptionId) });
  };

  it('sends the sample now, to a paused subscription too, and records it', async () => {
    const { bed } = test;
    const inbox = await test.inbox(status(201, {}, 'thanks'));
    const connectionId = await bed.connection(inbox.url);
    const subscriptionId = await bed.subscription(connectionId, 'test.event', false);
    const result = await broadcast(subscriptionId);
    expect(result).toEqual({
      success: true,
      statusCode: 201,
      responseBody: 'thanks',
      durationMs: expect.any(Number),
      error: null,
    });
    expect(inbox.received[0]?.body).toBe('{"event_type":"test.event","data":{"sample":true}}');
    expect(inbox.received[0]?.headers['webhook-signature']).toMatch(/^v1,/);
    const [event] = await bed.rows(sql`select id from events`);
    expect(inbox.received[0]?.headers).toMatchObject({
      'webhook-test': 'true',
      'webhook-event-id': (event as { id: string }).id,
      'webhook-event-time': expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
    const [delivery] = await bed.deliveries();
    expect(delivery).toMatchObject({ status: 'delivered', attempt_count: 1 });
    expect(inbox.ids).toEqual([delivery?.id]);
    expect(await bed.attempts()).toMatchObject([{ number: 1, trigger: 'test', status_code: 201, response_body: 'thanks' }]);
    expect(await bed.rows(sql`select is_test, event_type from events`)).toEqual([{ is_test: true, event_type: 'test.event' }]);
  });

  it('returns and records a response that Postgres cannot store unchanged', async () => {
    const { bed } = test;
    const { subscriptionId } = await bed.subscribed('http://127.0.0.1:1/');
    const odd: Destination = {
      type: 'webhook',
      maxDurationMs: 1_000,
      deliver: async () => ({
        kind: 'failed',
        attempt: { durationMs: -0.4, statusCode: 400, responseBody: 'a\0\ud800', error: { code: 'c\0', message: 'm\0' } },
      }),
    };
    const result = await broadcast(subscriptionId, bed.caller, odd);
    expect(result).toEqual({
      success: false,
      statusCode: 400,
      responseBody: 'a\ufffd',
      durationMs: 0,
      error: { code: 'c', message: 'm' },
    });
    expect(await bed.attempts()).toMatchObject([{ status_code: 400, response_body: 'a\ufffd', error_message: 'm' }]);
  });

  it('explains the failure, is never retried or replayed, and does not count against the connection', async () => {
    const { bed } = test;
    const inbox = await test.inbox(status(500, {}, 'no'));
    const { connectionId, subscriptionId } = await bed.subscribed(inbox.url);
    expect(await broadcast(subscriptionId)).toMatchObject({
      success: false,
      statusCode: 500,
      responseBody: 'no',
      error: { code: 'http_500', message: 'The receiver answered 500.' },
    });
    const { subscriptionId: unreachable } = await bed.subscribed('http://127.0.0.1:1/');
    expect(await broadcast(unreachable)).toMatchObject({
      success: false,
      statusCode: null,
      responseBody: null,
      error: { code: 'connection_refused', message: expect.stringContaining('127.0.0.1:1 could not be reached') },
    });
    await bed.engine({ options: { retryDelaysMs: [1] } }).start();
    const since = new Date(0);
    expect((await replayDeliveries(deps(), bed.caller, { connectionId: String(connectionId), since })).count).toBe(0);
    const [first] = await bed.deliveries();
    await expect(retryDelivery(deps(), bed.caller, { deliveryId: first?.id ?? '' })).rejects.toThrow('It was a test');
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(inbox.received).toHaveLength(1);
    expect(await bed.counts()).toEqual({ failed: 2 });
    expect(await bed.rows(sql`select * from connection_health`)).toEqual([]);
  });

  it('is refused for another organization’s subscription, and before the connection was authorized', async () => {
    const { bed } = test;
    const { subscriptionId } = await bed.subscribed('http://127.0.0.1:1/', { status: 'pending_authorization' });
    await expect(broadcast(subscriptionId, stranger())).rejects.toEqual(refusal('NOT_FOUND'));
    await expect(broadcast(subscriptionId)).rejects.toEqual(refusal('CONFLICT'));
    expect(await bed.deliveries()).toEqual([]);
  });
});

describe('Signing secrets', () => {
  it('belong to webhook connections of the caller', async () => {
    const { bed } = test;
    const webhook = String(await bed.connection('http://127.0.0.1:1/'));
    const klaviyo = String(await bed.connection('http://127.0.0.1:1/', { type: 'klaviyo' }));
    for (const use of [revealSigningSecret, rotateSigningSecret]) {
      await expect(use(bed, stranger(), { connectionId: webhook })).rejects.toEqual(refusal('NOT_FOUND'));
      await expect(use(bed, bed.caller, { connectionId: klaviyo })).rejects.toEqual(refusal('INVALID'));
      await expect(use(bed, bed.caller, { connectionId: 'x' })).rejects.toEqual(refusal('NOT_FOUND'));
    }
  });

  it('are created once, even by concurrent processes, and are encrypted', async () => {
    const { bed } = test;
    const connectionId = await bed.connection('http://127.0.0.1:1/');
    const made = await Promise.all(Array.from({ length: 8 }, () => ensureSigningSecret(bed, connectionId)));
    expect(new Set(made)).toHaveLength(1);
    const { signingSecret, previousSecretExpiresAt } = await revealSigningSecret(bed, bed.caller, {
      connectionId: String(connectionId),
    });
    expect(signingSecret).toMatch(/^whsec_/);
    expect(previousSecretExpiresAt).toBeNull();
    expect(made[0]).not.toContain('whsec');
    expect(await ensureSigningSecret(bed, 999_999)).toBeNull();
  });
});
