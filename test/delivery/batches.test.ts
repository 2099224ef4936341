import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { newId } from '../../src/database/newId.js';
import type { DeliveryJob } from '../../src/delivery/DeliveryJob.js';
import type { AttemptReport, DeliveryResult, Destination } from '../../src/delivery/Destination.js';
import { insertDeliveries } from '../../src/delivery/queue/insertDeliveries.js';
import { retryDelivery } from '../../src/delivery/retryDelivery.js';
import { eventually } from '../support/eventually.js';
import { testbedOfFile } from './support/testbedOfFile.js';

const test = testbedOfFile();
const many = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));
const good: AttemptReport = { durationMs: 1, statusCode: 202, responseBody: '', error: null };
const bad: AttemptReport = { durationMs: 1, statusCode: 503, responseBody: '', error: { code: 'bad_status', message: 'No.' } };
const delivered: DeliveryResult = { kind: 'delivered', attempt: good };
const LONG = { withinMs: 30_000 };

type Answer = (jobs: readonly DeliveryJob[], signal: AbortSignal) => Promise<readonly DeliveryResult[]>;

/** Returns a destination that accepts batches of 20 to 100 and records the deliveries it gets. */
function batching(answer: Answer = async (jobs) => jobs.map(() => delivered), single = async () => delivered) {
  const batches: (readonly DeliveryJob[])[] = [];
  const singles: DeliveryJob[] = [];
  let open = 0;
  const seen = { mostOpen: 0 };
  const destination: Destination = {
    type: 'klaviyo',
    maxDurationMs: 2_000,
    async deliver(job) {
      singles.push(job);
      return single();
    },
    batch: {
      ...{ from: 20, max: 100, maxBytes: 100_000 },
      async deliver(jobs, signal) {
        batches.push(jobs);
        seen.mostOpen = Math.max(seen.mostOpen, ++open);
        try {
          return await answer(jobs, signal);
        } finally {
          open--;
        }
      },
    },
  };
  return { destination, batches, singles, seen };
}

const subscribed = () => test.bed.subscribed('http://127.0.0.1:1/', { type: 'klaviyo' });
const idsOf = (batches: readonly (readonly DeliveryJob[])[]) => batches.flat().map(({ deliveryId }) => deliveryId);

describe('Many deliveries of a connection whose destination supports batches', () => {
  it('go in few batches, each with its own attempt and result', async () => {
    const { bed } = test;
    const { destination, batches, singles, seen } = batching();
    await subscribed();
    await bed.publish(many(1_000));
    await bed.engine({ destinations: [destination] }).start();
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 1_000 }), LONG);
    expect(new Set([...idsOf(batches), ...singles.map(({ deliveryId }) => deliveryId)]).size).toBe(1_000);
    expect(idsOf(batches).length + singles.length).toBe(1_000);
    expect(batches.length).toBeLessThan(40);
    for (const batch of batches) expect(batch.length).toBeLessThanOrEqual(100);
    expect(seen.mostOpen).toBeLessThanOrEqual(2);
    const attempts = await bed.attempts();
    expect(attempts).toHaveLength(1_000);
    expect(attempts.every(({ number, status_code }) => number === 1 && status_code === 202)).toBe(true);
  });

  it('are split when a batch would be too large', async () => {
    const { bed } = test;
    const { destination, batches } = batching();
    await subscribed();
    await bed.publish(many(60).map((each) => ({ ...each, filler: 'x'.repeat(4_000) })));
    await bed.engine({ destinations: [destination] }).start();
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 60 }), LONG);
    for (const batch of batches) {
      expect(batch.reduce((bytes, { event }) => bytes + event.payload.length, 0)).toBeLessThanOrEqual(100_000);
    }
    expect(batches.length).toBeGreaterThan(0);
  });

  it('go one by one, at once, when they are few', async () => {
    const { bed } = test;
    const { destination, batches, singles } = batching();
    await subscribed();
    await bed.publish(many(19));
    await bed.engine({ destinations: [destination] }).start();
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 19 }), LONG);
    expect(batches).toHaveLength(0);
    expect(singles).toHaveLength(19);
  });

  it('respect their ordering keys: never two of one key at once', async () => {
    const { bed } = test;
    const { destination, batches, singles } = batching();
    await subscribed();
    const events = many(90).map(({ n }) => ({ id: newId(), eventType: 'test.event', orderingKey: `key ${n % 30}`, n }));
    await bed.database.transaction(async (em) => {
      await sql`
        insert into events (id, organization_id, event_type, payload, ordering_key)
        select id, ${bed.organizationId}, 'test.event', payload, ordering_key
        from unnest(${events.map(({ id }) => id)}::uuid[], ${events.map((event) => JSON.stringify(event))}::json[],
          ${events.map(({ orderingKey }) => orderingKey)}::text[]) as e (id, payload, ordering_key)`.execute(em.getKysely());
      await insertDeliveries(em, { organizationId: bed.organizationId, events });
    });
    await bed.engine({ destinations: [destination] }).start();
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 90 }), LONG);
    const keyOf = ({ event }: DeliveryJob) => JSON.parse(event.payload).orderingKey as string;
    for (const batch of batches) expect(new Set(batch.map(keyOf)).size).toBe(batch.length);
    expect(batches.length).toBeGreaterThan(0);
    expect(idsOf(batches).length + singles.length).toBe(90);
  });

  it('delay no other connection while a batch is slow', async () => {
    const { bed } = test;
    let answer: () => void = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const { destination, batches, singles } = batching(async (jobs) => {
      await answered;
      return jobs.map(() => delivered);
    });
    await subscribed();
    await bed.publish(many(2_000));
    // The minimum of places: a batch takes one of them.
    await bed.engine({ destinations: [destination], options: { concurrency: 4, concurrencyPerConnection: 24 } }).start();
    await eventually(() => expect(batches.length).toBeGreaterThan(0), LONG);
    const other = await bed.connection('http://127.0.0.1:1/', { type: 'klaviyo' });
    await bed.subscription(other, 'other.event');
    await bed.publish([{}], 'other.event');
    await eventually(() => expect(singles.some(({ connection }) => connection.id === other)).toBe(true), LONG);
    answer();
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 2_001 }), LONG);
  });
});

describe('A failure in a batch', () => {
  it('of one delivery is attempted alone, and uses up no attempt', async () => {
    const { bed } = test;
    const { destination, batches, singles } = batching(async (jobs) =>
      jobs.map(({ event }) => (JSON.parse(event.payload).n % 10 === 0 ? { kind: 'alone' } : delivered)),
    );
    await subscribed();
    await bed.publish(many(60));
    await bed.engine({ destinations: [destination] }).start();
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 60 }), LONG);
    const again = singles.filter(({ deliveryId }) => idsOf(batches).includes(deliveryId));
    expect(again).toHaveLength(6);
    expect(await bed.attempts()).toHaveLength(60);
  });

  it('of all deliveries is retried one by one, and counts as one failure of the connection', async () => {
    const { bed } = test;
    const { destination, batches, singles } = batching(async (jobs) => jobs.map(() => ({ kind: 'retry', attempt: bad })));
    const { connectionId } = await subscribed();
    await bed.publish(many(60));
    await bed.engine({ destinations: [destination], options: { retryDelaysMs: [600_000] } }).start();
    await eventually(async () => expect((await bed.counts()).retrying).toBe(idsOf(batches).length), LONG);
    expect(batches.length).toBeGreaterThan(0);
    await eventually(async () => {
      const [health] = await bed.rows(sql`select * from connection_health where connection_id = ${connectionId}`);
      expect(health).toMatchObject({ paused_until: null });
      expect(health.consecutive_failures).toBeLessThanOrEqual(batches.length);
    }, LONG);
    const tried = new Set(idsOf(batches));
    await bed.rows(sql`update deliveries set due_at = now() where status = 'retrying'`);
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 60 }), LONG);
    expect(singles.filter(({ deliveryId }) => tried.has(deliveryId)).every(({ attemptNumber }) => attemptNumber === 2)).toBe(
      true,
    );
    expect(new Set(idsOf(batches)).size).toBe(idsOf(batches).length);
  });

  it('by a rate limit uses up no attempt, and all deliveries go later', async () => {
    const { bed } = test;
    let limited = 0;
    const { destination, batches } = batching(async (jobs) => {
      if (++limited > 1) return jobs.map(() => delivered);
      return jobs.map(() => ({ kind: 'throttled', forMs: 200 }));
    });
    await subscribed();
    await bed.publish(many(200));
    await bed.engine({ destinations: [destination] }).start();
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 200 }), LONG);
    expect(await bed.attempts()).toHaveLength(200);
    expect(batches.length).toBeGreaterThan(1);
  });

  it.each<[string, Answer]>([
    ['throws', async () => Promise.reject(new Error('A fault of ours'))],
    ['forgets some of them', async (jobs) => jobs.slice(0, 5).map(() => delivered)],
  ])('because the destination %s is an internal fault, and is retried', async (_, answer) => {
    const { bed } = test;
    const { destination, singles } = batching(answer);
    await subscribed();
    await bed.publish(many(60));
    await bed.engine({ destinations: [destination], options: { retryDelaysMs: [1, 1] } }).start();
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 60 }), LONG);
    expect(singles.length).toBeGreaterThan(20);
    expect((await bed.attempts()).some(({ error_code }) => error_code === 'internal')).toBe(true);
  });

  it('by a batch that never ends is written off like any attempt', async () => {
    const { bed } = test;
    const { destination } = batching(() => new Promise(() => {}));
    const stuck = { ...destination, maxDurationMs: 200 };
    await subscribed();
    await bed.publish(many(60));
    await bed.engine({ destinations: [stuck], options: { retryDelaysMs: [1] } }).start();
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 60 }), LONG);
  });
});

describe('A batch in flight', () => {
  it('is handed back by a stop, and another engine delivers it', async () => {
    const { bed } = test;
    const hanging = batching(
      (jobs, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve(jobs.map(() => ({ kind: 'handBack' }))));
        }),
    );
    await subscribed();
    await bed.publish(many(300));
    const engine = bed.engine({ destinations: [hanging.destination], options: { stopGraceMs: 50 } });
    await engine.start();
    await eventually(() => expect(hanging.batches.length).toBeGreaterThan(0), LONG);
    await engine.stop();
    expect(await bed.counts()).toMatchObject({ pending: expect.any(Number) });
    expect((await bed.deliveries()).every(({ leased_by }) => leased_by === null)).toBe(true);
    await bed.engine({ destinations: [batching().destination] }).start();
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 300 }), LONG);
  });

  it('of a dead worker is repeated when its lease ends; several workers share the rest', async () => {
    const { bed } = test;
    const dead = batching(() => new Promise(() => {}));
    await subscribed();
    await bed.publish(many(400));
    const options = { leaseMs: 4_000 };
    await bed.engine({ destinations: [{ ...dead.destination, maxDurationMs: 3_000 }], options }).start();
    await eventually(() => expect(dead.batches.length).toBeGreaterThan(0), LONG);
    const others = [batching(), batching()];
    for (const { destination } of others) await bed.engine({ destinations: [destination] }).start();
    await eventually(async () => expect((await bed.counts()).delivered ?? 0).toBe(400), { withinMs: 60_000 });
    const ids = others.flatMap(({ batches, singles }) => [...idsOf(batches), ...singles.map(({ deliveryId }) => deliveryId)]);
    // No living worker did what another had done: each delivery was attempted at most once.
    expect(new Set(ids).size).toBe(ids.length);
  }, 90_000);

  it('never contains manual retries', async () => {
    const { bed } = test;
    const { destination, batches, singles } = batching();
    await subscribed();
    await bed.publish(many(40));
    await bed.rows(sql`update deliveries set status = 'failed'`);
    const asked = await bed.deliveries();
    for (const { id } of asked) {
      await retryDelivery({ database: bed.database, deliverySignal: { notify() {} } }, bed.caller, { deliveryId: id });
    }
    await bed.engine({ destinations: [destination] }).start();
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 40 }), LONG);
    expect(batches).toHaveLength(0);
    expect(singles).toHaveLength(40);
  });
});
