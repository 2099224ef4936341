import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { createDeliverySignal } from '../../src/delivery/DeliverySignal.js';
import { eventually } from '../support/eventually.js';
import type { Answer } from './support/Inbox.js';
import { startWorker } from './support/startWorker.js';
import { testbedOfFile } from './support/testbedOfFile.js';

const test = testbedOfFile();
const many = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));
const answerIn =
  (ms: number): Answer =>
  (response) =>
    void setTimeout(() => response.end(), ms);

describe('A worker that is killed', () => {
  it('loses nothing: its leases end, and another repeats no more than was in flight', async () => {
    const { bed } = test;
    const inbox = await test.inbox(answerIn(20));
    await bed.subscribed(inbox.url);
    await bed.publish(many(1_000));
    const concurrencyPerConnection = 20;
    const worker = await startWorker(test.url, { timeoutMs: 2_000, options: { leaseMs: 6_000, concurrencyPerConnection } });
    await eventually(() => expect(inbox.received.length).toBeGreaterThan(200));
    worker.kill('SIGKILL');
    await once(worker, 'exit');
    await sleep(30);
    // Includes expired leases, because no other worker has looked at them yet.
    const [{ leased }] = (await bed.rows(sql`select count(*)::int as leased from deliveries where leased_by is not null`)) as [
      { leased: number },
    ];
    expect(leased).toBeGreaterThan(0);

    await bed.engine({ options: { concurrencyPerConnection } }).start();
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 1_000 }));
    expect(new Set(inbox.data.map((data) => (data as { n: number }).n))).toHaveLength(1_000);
    // These were leased at the kill: in flight, claimed ahead, or delivered without a written result. A request that this busy
    // machine answered after the worker's timeout is on record and was repeated too.
    const attempts = await bed.attempts();
    const late = attempts.filter(({ error_code }) => error_code === 'timeout');
    expect(attempts).toHaveLength(1_000 + late.length);
    expect(inbox.received.length - attempts.length).toBeLessThanOrEqual(leased);
  });
});

describe('Several engines', () => {
  it('share the work and repeat none of it', async () => {
    const { bed } = test;
    const inbox = await test.inbox(answerIn(2));
    for (let index = 0; index < 5; index++) await bed.subscribed(inbox.url);
    await bed.publish(many(300));
    const options = { concurrency: 32, concurrencyPerConnection: 4 };
    await Promise.all([
      bed.engine({ options, timeoutMs: 15_000 }).start(),
      bed.engine({ options, timeoutMs: 15_000 }).start(),
      bed.engine({ options, timeoutMs: 15_000 }).start(),
    ]);
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 1_500 }));
    expect(inbox.received).toHaveLength(1_500);
    expect(new Set(inbox.ids)).toHaveLength(1_500);
    expect(await bed.attempts()).toHaveLength(1_500);
  });

  it('learn at once of another process’s publish', async () => {
    const { bed } = test;
    const inbox = await test.inbox();
    await bed.subscribed(inbox.url);
    // An engine that only polled would find nothing during the test.
    await bed.engine({ options: { pollMs: 600_000 } }).start();
    const signal = createDeliverySignal({ database: bed.database });
    for (let n = 0; n < 5; n++) {
      await bed.publish([{ n }]);
      signal.notify();
      await eventually(() => expect(inbox.received).toHaveLength(n + 1));
      await sleep(10);
    }
  });
});

describe('A result whose lease was lost', () => {
  it('does not overwrite another worker’s result, unless it is a success; its attempt is recorded', async () => {
    const { bed } = test;
    const answers: ((code: number) => void)[] = [];
    const inbox = await test.inbox((response) => void answers.push((code) => response.writeHead(code).end()));
    await bed.subscribed(inbox.url);
    await bed.publish([{}]);
    await bed.engine({ timeoutMs: 5_000 }).start();
    await eventually(() => expect(answers).toHaveLength(1));
    await bed.rows(sql`update deliveries set leased_until = now()`);
    await eventually(() => expect(answers).toHaveLength(2));
    const [before] = await bed.deliveries();
    answers[0]?.(500);
    await eventually(async () => expect(await bed.attempts()).toHaveLength(1));
    const [after] = await bed.deliveries();
    expect(after).toMatchObject({ status: 'pending', leased_by: before?.leased_by, retry_count: 0, attempt_count: 1 });
    answers[1]?.(200);
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 1 }));
    expect(await bed.attempts()).toMatchObject([
      { number: 1, status_code: 500 },
      { number: 2, status_code: 200 },
    ]);
  });
});

describe('While Postgres is unavailable', () => {
  it('results are kept, and the engine continues by itself; nothing is lost or sent twice', async () => {
    const { bed } = test;
    const inbox = await test.inbox(answerIn(10));
    await bed.subscribed(inbox.url);
    await bed.publish(many(600));
    const logged: string[] = [];
    const log = { debug() {}, info() {}, warn: (_: object, text: string) => logged.push(text), error() {} };
    await bed.engine({ log: log as never, options: { concurrencyPerConnection: 10 } }).start();
    const admin = new pg.Client({ connectionString: test.url });
    await admin.connect();
    for (let round = 1; round <= 3; round++) {
      await eventually(() => expect(inbox.received.length).toBeGreaterThan(round * 100));
      await admin.query(`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`);
      await sleep(50);
    }
    await admin.end();
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 600 }));
    expect(new Set(inbox.ids)).toHaveLength(600);
    expect(inbox.received).toHaveLength(600);
    expect(await bed.attempts()).toHaveLength(600);
    // It also receives wake-ups for new deliveries again.
    await bed.publish([{ n: 600 }]);
    await eventually(() => expect(inbox.received).toHaveLength(601));
  });
});

describe('A stop', () => {
  it('lets attempts in flight finish, and starts no more', async () => {
    const { bed } = test;
    const inbox = await test.inbox(answerIn(200));
    await bed.subscribed(inbox.url);
    await bed.publish(many(50));
    const engine = bed.engine({ options: { concurrencyPerConnection: 5 } });
    await engine.start();
    await eventually(() => expect(inbox.open).toBe(5));
    const before = inbox.received.length;
    await engine.stop();
    expect(inbox.received).toHaveLength(before);
    expect(await bed.counts()).toEqual({ delivered: before, pending: 50 - before });
    expect((await bed.deliveries()).every(({ leased_by }) => leased_by === null)).toBe(true);
  });

  it('hands back deliveries that do not finish, without an attempt, in their old position', async () => {
    const { bed } = test;
    const inbox = await test.inbox(() => {});
    await bed.subscribed(inbox.url);
    await bed.publish(many(20));
    const before = await bed.deliveries();
    // An engine that waited for the answers would exceed the test's time limit.
    const engine = bed.engine({ timeoutMs: 120_000, options: { stopGraceMs: 200, concurrencyPerConnection: 8 } });
    await engine.start();
    await eventually(() => expect(inbox.open).toBeGreaterThanOrEqual(8));
    await engine.stop();
    const after = await bed.deliveries();
    expect(
      after.map(({ status, due_ms, attempt_count, leased_until }) => ({ status, due_ms, attempt_count, leased_until })),
    ).toEqual(before.map(({ due_ms }) => ({ status: 'pending', due_ms, attempt_count: 0, leased_until: null })));
    expect(await bed.attempts()).toEqual([]);
  });
});
