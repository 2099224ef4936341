import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { sql } from 'kysely';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Destination } from '../../src/delivery/Destination.js';
import { eventually } from '../support/eventually.js';
import { status } from './support/Inbox.js';
import { testbedOfFile } from './support/testbedOfFile.js';

const test = testbedOfFile();
const attemptOf = (more: object = {}) => ({
  startedAtMs: Date.now(),
  durationMs: 1,
  statusCode: null,
  responseBody: null,
  error: { code: 'x', message: 'X.' },
  ...more,
});

describe('A delivery that fails', () => {
  it('is retried on schedule with the same id, and delivered in the end', async () => {
    const { bed } = test;
    const inbox = await test.inbox((response, _received, count) =>
      response.writeHead(count < 3 ? 500 : 200).end(`answer ${count}`),
    );
    await bed.subscribed(inbox.url);
    await bed.engine({ options: { retryDelaysMs: [100, 200, 400] } }).start();
    await bed.publish([{}]);
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 1 }));
    expect(new Set(inbox.ids)).toHaveLength(1);
    const [first, second, third] = inbox.received.map(({ at }) => at) as [number, number, number];
    expect(second - first).toBeGreaterThanOrEqual(80);
    expect(third - second).toBeGreaterThanOrEqual(160);
    expect(await bed.attempts()).toMatchObject([
      {
        number: 1,
        status_code: 500,
        response_body: 'answer 1',
        error_code: 'http_500',
        error_message: 'The receiver answered 500.',
      },
      { number: 2, status_code: 500 },
      { number: 3, status_code: 200, error_code: null },
    ]);
    expect(await bed.deliveries()).toMatchObject([{ attempt_count: 3, retry_count: 2 }]);
  });

  it('is FAILED when the retries are used up', async () => {
    const { bed } = test;
    const inbox = await test.inbox(status(503));
    await bed.subscribed(inbox.url);
    await bed.engine({ options: { retryDelaysMs: [10, 10] } }).start();
    await bed.publish([{}]);
    await eventually(async () => expect(await bed.counts()).toEqual({ failed: 1 }));
    expect(inbox.received).toHaveLength(3);
    expect(await bed.deliveries()).toMatchObject([{ attempt_count: 3, leased_by: null }]);
  });

  it('waits as long as Retry-After says', async () => {
    const { bed } = test;
    const inbox = await test.inbox(status(429, { 'RETRY-AFTER': '40' }));
    await bed.subscribed(inbox.url);
    await bed.engine({ options: { retryDelaysMs: [10] } }).start();
    const before = Date.now();
    await bed.publish([{}]);
    await eventually(async () => expect(await bed.counts()).toEqual({ retrying: 1 }));
    const [delivery] = await bed.deliveries();
    expect(delivery?.due_ms).toBeGreaterThanOrEqual(before + 40_000);
    expect(delivery?.due_ms).toBeLessThanOrEqual(Date.now() + 41_000);
  });

  it('by a redirect is not followed', async () => {
    const { bed } = test;
    const target = await test.inbox();
    const inbox = await test.inbox(status(302, { location: target.url }));
    await bed.subscribed(inbox.url);
    await bed.engine({ options: { retryDelaysMs: [] } }).start();
    await bed.publish([{}]);
    await eventually(async () => expect(await bed.counts()).toEqual({ failed: 1 }));
    expect(target.received).toHaveLength(0);
    expect(await bed.attempts()).toMatchObject([{ status_code: 302, error_code: 'http_302' }]);
  });

  it('by 410 disables the connection, holds what waits for it, and calls onConnectionDisabled in the same transaction', async () => {
    const { bed } = test;
    const inbox = await test.inbox(status(410));
    const { connectionId } = await bed.subscribed(inbox.url);
    const told: unknown[] = [];
    const engine = bed.engine({
      options: { concurrencyPerConnection: 1 },
      onConnectionDisabled: async (em, disabled) => {
        const { rows } = await sql<{
          status: string;
        }>`select status from connections where id = ${disabled.connectionId}`.execute(em.getKysely());
        told.push({ ...disabled, status: rows[0]?.status });
      },
    });
    await bed.publish([{ n: 1 }, { n: 2 }, { n: 3 }]);
    await engine.start();
    await eventually(async () => {
      const counts = await bed.counts();
      expect((counts.failed ?? 0) + (counts.held ?? 0)).toBe(3);
      expect(counts.failed).toBeGreaterThanOrEqual(1);
    });
    await eventually(() =>
      expect(told).toEqual([
        {
          connectionId,
          organizationId: bed.organizationId,
          reason: 'The receiver answered 410 Gone.',
          failingSince: null,
          status: 'disabled',
        },
      ]),
    );
    await eventually(async () =>
      expect(await bed.rows(sql`select status, status_reason from connections`)).toEqual([
        { status: 'disabled', status_reason: 'The receiver answered 410 Gone.' },
      ]),
    );
  });

  it('without a response ends after the timeout, with an error that says so', async () => {
    const { bed } = test;
    const inbox = await test.inbox(() => {});
    await bed.subscribed(inbox.url);
    await bed.engine({ timeoutMs: 200, options: { retryDelaysMs: [] } }).start();
    await bed.publish([{}]);
    await eventually(async () => expect(await bed.counts()).toEqual({ failed: 1 }));
    const [attempt] = await bed.attempts();
    expect(attempt).toMatchObject({ status_code: null, response_body: null, error_code: 'timeout' });
    expect(attempt?.error_message).toContain('did not answer in full within 0.2 s');
  });

  it('by a body that drips slowly ends after the timeout too', async () => {
    const { bed } = test;
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n');
      const timer = setInterval(() => socket.write('.'), 20);
      socket.on('close', () => clearInterval(timer));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    await bed.subscribed(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await bed.engine({ timeoutMs: 200, options: { retryDelaysMs: [] } }).start();
    await bed.publish([{}]);
    await eventually(async () => expect(await bed.counts()).toEqual({ failed: 1 }));
    expect(await bed.attempts()).toMatchObject([{ error_code: 'timeout' }]);
  });

  it('by a private address is recorded as such', async () => {
    const { bed } = test;
    await bed.subscribed('http://10.0.0.1/');
    await bed.engine({ options: { retryDelaysMs: [] } }).start();
    await bed.publish([{}]);
    await eventually(async () => expect(await bed.counts()).toEqual({ failed: 1 }));
    expect(await bed.attempts()).toMatchObject([{ error_code: 'private_address' }]);
  });

  it('by an internal fault is recorded without details and retried, and does not count against the connection', async () => {
    const { bed } = test;
    const broken: Destination = {
      type: 'webhook',
      maxDurationMs: 1_000,
      deliver: () => Promise.reject(new Error('secret detail')),
    };
    await bed.subscribed('http://127.0.0.1:1/');
    await bed.engine({ destinations: [broken], options: { retryDelaysMs: [10] } }).start();
    await bed.publish([{}]);
    await eventually(async () => expect(await bed.counts()).toEqual({ failed: 1 }));
    expect(await bed.attempts()).toMatchObject([{ error_code: 'internal' }, { error_code: 'internal' }]);
    expect(JSON.stringify(await bed.attempts())).not.toContain('secret');
    expect(await bed.rows(sql`select * from connection_health`)).toEqual([]);
  });

  it('for good, according to its destination, has an explanation and is not retried', async () => {
    const { bed } = test;
    const error = { code: 'recipient_missing', message: 'The event names no recipient.' };
    const picky: Destination = {
      type: 'webhook',
      maxDurationMs: 1_000,
      deliver: async () => ({ kind: 'failed', attempt: attemptOf({ error }) }),
    };
    await bed.subscribed('http://127.0.0.1:1/');
    await bed.engine({ destinations: [picky] }).start();
    await bed.publish([{}]);
    await eventually(async () => expect(await bed.counts()).toEqual({ failed: 1 }));
    expect(await bed.attempts()).toMatchObject([{ error_code: 'recipient_missing', error_message: error.message }]);
  });
});

describe('A rate limit', () => {
  it('pauses the connection, uses up no attempt and blocks no other connection', async () => {
    const { bed } = test;
    let until = 0;
    const calls: { at: number; connectionId: number }[] = [];
    const limited: Destination = {
      type: 'webhook',
      maxDurationMs: 1_000,
      async deliver({ connection }) {
        until ||= Date.now() + 3_000;
        calls.push({ at: Date.now(), connectionId: connection.id });
        if (connection.id === first.connectionId && Date.now() < until) return { kind: 'throttled', forMs: until - Date.now() };
        return { kind: 'delivered', attempt: attemptOf({ statusCode: 202, error: null }) };
      },
    };
    const first = await bed.subscribed('http://127.0.0.1:1/');
    const second = await bed.subscribed('http://127.0.0.1:1/');
    await bed.engine({ destinations: [limited], options: { concurrencyPerConnection: 2 } }).start();
    await bed.publish(Array.from({ length: 20 }, (_, n) => ({ n })));
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 40 }));
    const firstCalls = calls.filter(({ connectionId }) => connectionId === first.connectionId);
    expect(firstCalls.filter(({ at }) => at < until).length).toBeLessThanOrEqual(4);
    expect(await bed.rows(sql`select max(attempt_count) as most, min(attempt_count) as least from deliveries`)).toEqual([
      { most: 1, least: 1 },
    ]);
    const healthy = calls.filter(({ connectionId }) => connectionId === second.connectionId);
    expect(Math.max(...healthy.map(({ at }) => at))).toBeLessThan(until);
  });

  it('ends at its time: the connection then continues without a new publish', async () => {
    const { bed } = test;
    let until = 0;
    const limited: Destination = {
      type: 'webhook',
      maxDurationMs: 1_000,
      async deliver() {
        until ||= Date.now() + 700;
        if (Date.now() < until) return { kind: 'throttled', forMs: until - Date.now() };
        return { kind: 'delivered', attempt: attemptOf({ statusCode: 202, error: null }) };
      },
    };
    await bed.subscribed('http://127.0.0.1:1/');
    await bed.publish([{}, {}]);
    await bed.engine({ destinations: [limited], options: { pollMs: 600_000 } }).start();
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 2 }));
  });
});

describe('A connection that must be authorized again', () => {
  it('has its deliveries held, and no retry is used up', async () => {
    const { bed } = test;
    const dead: Destination = {
      type: 'webhook',
      maxDurationMs: 1_000,
      async deliver({ connection }) {
        await bed.rows(sql`update connections set status = 'reauthorization_required' where id = ${connection.id}`);
        return { kind: 'hold', attempt: null, reason: 'The grant is dead.' };
      },
    };
    await bed.subscribed('http://127.0.0.1:1/');
    await bed.engine({ destinations: [dead] }).start();
    await bed.publish([{ n: 1 }, { n: 2 }]);
    await eventually(async () => expect(await bed.counts()).toEqual({ held: 2 }));
    expect(await bed.attempts()).toEqual([]);
    expect(await bed.deliveries()).toMatchObject([{ retry_count: 0, leased_by: null }, { retry_count: 0 }]);
  });
});
