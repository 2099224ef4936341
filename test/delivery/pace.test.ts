import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { newId } from '../../src/database/newId.js';
import { insertDeliveries } from '../../src/delivery/queue/insertDeliveries.js';
import { cancelForSubscription } from '../../src/delivery/queue/tasks.js';
import { replayDeliveries } from '../../src/delivery/replayDeliveries.js';
import { retryDelivery } from '../../src/delivery/retryDelivery.js';
import { eventually } from '../support/eventually.js';
import type { Answer } from './support/Inbox.js';
import { testbedOfFile } from './support/testbedOfFile.js';

const test = testbedOfFile();
const many = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));
const answerIn =
  (ms: number): Answer =>
  (response) =>
    void setTimeout(() => response.end(), ms);

/** Publishes events, each with its ordering key, in one transaction. */
async function publishKeyed(
  events: readonly { readonly key: string; readonly n: number }[],
  eventType = 'test.event',
): Promise<void> {
  const { bed } = test;
  await bed.database.transaction(async (em) => {
    const published = events.map(({ key, n }) => ({
      id: newId(),
      eventType,
      orderingKey: key,
      payload: { key, n },
    }));
    await sql`
      insert into events (id, organization_id, event_type, payload, ordering_key)
      select id, ${bed.organizationId}, ${eventType}, payload, ordering_key
      from unnest(${published.map(({ id }) => id)}::uuid[], ${published.map(({ payload }) => JSON.stringify(payload))}::json[],
        ${published.map(({ orderingKey }) => orderingKey)}::text[]) as e (id, payload, ordering_key)`.execute(em.getKysely());
    await insertDeliveries(em, { organizationId: bed.organizationId, events: published });
  });
}

const arrivalsOf = (data: readonly unknown[], key: string) =>
  (data as { key: string; n: number }[]).filter((event) => event.key === key).map(({ n }) => n);

describe('maxConcurrency', () => {
  it('is obeyed over several engines', async () => {
    const { bed } = test;
    const inbox = await test.inbox(answerIn(20));
    const { connectionId } = await bed.subscribed(inbox.url);
    await bed.rows(sql`update connections set max_concurrency = 3 where id = ${connectionId}`);
    await bed.publish(many(60));
    await Promise.all([bed.engine().start(), bed.engine().start(), bed.engine().start()]);
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 60 }), { withinMs: 20_000 });
    expect(inbox.mostOpen).toBeLessThanOrEqual(3);
    expect(inbox.mostOpen).toBeGreaterThanOrEqual(2);
  });

  it('of one connection does not slow another', async () => {
    const { bed } = test;
    const slow = await test.inbox(answerIn(200));
    const inbox = await test.inbox();
    const { connectionId } = await bed.subscribed(slow.url);
    await bed.rows(sql`update connections set max_concurrency = 1 where id = ${connectionId}`);
    await bed.subscribed(inbox.url);
    await bed.engine().start();
    await bed.publish(many(30));
    await eventually(() => expect(inbox.received).toHaveLength(30));
    expect(slow.received.length).toBeLessThan(30);
  });
});

describe('maxPerSecond', () => {
  it('is obeyed over several engines, in every second', async () => {
    const { bed } = test;
    const inbox = await test.inbox();
    const { connectionId } = await bed.subscribed(inbox.url);
    await bed.rows(sql`update connections set max_per_second = 20 where id = ${connectionId}`);
    await bed.publish(many(60));
    await Promise.all([bed.engine().start(), bed.engine().start()]);
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 60 }), { withinMs: 20_000 });
    const times = inbox.received.map(({ at }) => at).sort((a, b) => a - b);
    for (const [index, at] of times.entries()) {
      const within = times.slice(index).filter((other) => other < at + 1_000).length;
      // The 20 of one second, the burst at its start, and a margin for their way.
      expect(within).toBeLessThanOrEqual(24);
    }
  });
});

describe('An ordering key', () => {
  it('keeps its events in the order of publishing, though many go out at once, over several engines', async () => {
    const { bed } = test;
    const inbox = await test.inbox((response) => void setTimeout(() => response.end(), Math.random() * 15));
    await bed.subscribed(inbox.url);
    await Promise.all([bed.engine().start(), bed.engine().start()]);
    for (let n = 0; n < 12; n++) await publishKeyed(['a', 'b', 'c', 'd', 'e'].map((key) => ({ key, n })));
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 60 }), { withinMs: 20_000 });
    for (const key of ['a', 'b', 'c', 'd', 'e']) expect(arrivalsOf(inbox.data, key)).toEqual(many(12).map(({ n }) => n));
  });

  it('waits for a retry, while other keys go on; events without a key do not wait', async () => {
    const { bed } = test;
    let failed = 0;
    const inbox = await test.inbox((response, { body }) => {
      const { key, n } = JSON.parse(body).data;
      const bad = key === 'a' && n === 0 && failed++ < 2;
      response.writeHead(bad ? 500 : 200).end();
    });
    await bed.subscribed(inbox.url);
    await bed.engine({ options: { retryDelaysMs: [300, 300] } }).start();
    await publishKeyed([
      { key: 'a', n: 0 },
      { key: 'a', n: 1 },
      { key: 'a', n: 2 },
      { key: 'b', n: 0 },
      { key: 'b', n: 1 },
    ]);
    await bed.publish([{ key: 'none', n: 9 }]);
    await eventually(() => expect(inbox.received.length).toBeGreaterThanOrEqual(4));
    expect(arrivalsOf(inbox.data, 'b')).toEqual([0, 1]);
    expect(arrivalsOf(inbox.data, 'none')).toEqual([9]);
    expect(new Set(arrivalsOf(inbox.data, 'a'))).toEqual(new Set([0]));
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 6 }));
    expect(arrivalsOf(inbox.data, 'a')).toEqual([0, 0, 0, 1, 2]);
  });

  it('continues after a FAILED delivery', async () => {
    const { bed } = test;
    const inbox = await test.inbox((response, { body }) => response.writeHead(JSON.parse(body).data.n === 0 ? 500 : 200).end());
    await bed.subscribed(inbox.url);
    await bed.engine({ options: { retryDelaysMs: [] } }).start();
    await publishKeyed([
      { key: 'a', n: 0 },
      { key: 'a', n: 1 },
    ]);
    await eventually(async () => expect(await bed.counts()).toEqual({ failed: 1, delivered: 1 }));
  });

  it('keeps its order through a hold and a release', async () => {
    const { bed } = test;
    const inbox = await test.inbox((response) => void setTimeout(() => response.end(), Math.random() * 15));
    await bed.subscribed(inbox.url, { status: 'disabled' });
    for (let n = 0; n < 8; n++) await publishKeyed(['a', 'b'].map((key) => ({ key, n })));
    await bed.engine().start();
    await bed.rows(sql`update connections set status = 'active'`);
    for (let n = 8; n < 12; n++) await publishKeyed(['a', 'b'].map((key) => ({ key, n })));
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 24 }));
    for (const key of ['a', 'b']) expect(arrivalsOf(inbox.data, key)).toEqual(many(12).map(({ n }) => n));
  });

  it('loses no delivery when publishers and results race', async () => {
    const { bed } = test;
    const inbox = await test.inbox();
    await bed.subscribed(inbox.url);
    const engine = bed.engine();
    await engine.start();
    await Promise.all(
      Array.from({ length: 6 }, async (_, publisher) => {
        for (let n = 0; n < 15; n++) {
          await publishKeyed([{ key: 'shared', n: publisher * 100 + n }]);
          engine.wake();
          await sleep(Math.random() * 10);
        }
      }),
    );
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 90 }), { withinMs: 20_000 });
    expect(inbox.mostOpen).toBe(1);
    const arrived = arrivalsOf(inbox.data, 'shared');
    for (let publisher = 0; publisher < 6; publisher++) {
      const own = arrived.filter((n) => Math.floor(n / 100) === publisher);
      expect(own).toEqual([...own].sort((a, b) => a - b));
    }
  });
});

describe('A publish with very many ordering keys', () => {
  it('can go to many connections at once', async () => {
    const { bed } = test;
    for (let index = 0; index < 10; index++) await bed.subscribed('http://127.0.0.1:1/', { status: 'disabled' });
    for (let index = 0; index < 190; index++) await bed.subscribed('http://127.0.0.1:1/', { eventType: 'other.event' });
    const events = many(1_000).map(({ n }) => ({ key: `parcel-${n}`, n }));
    await publishKeyed(events, 'other.event');
    expect(await bed.rows(sql`select total_count from delivery_tasks`)).toEqual([{ total_count: 190_000 }]);
    await bed.rows(sql`truncate delivery_tasks`);
    await publishKeyed(events);
    expect(await bed.counts()).toEqual({ held: 10_000 });
  });

  it('is not overtaken while an earlier publish is still being fanned out', async () => {
    const { bed } = test;
    for (let index = 0; index < 11; index++) await bed.subscribed('http://127.0.0.1:1/', { status: 'disabled' });
    await publishKeyed(many(1_000).map(({ n }) => ({ key: 'a', n })));
    await publishKeyed([{ key: 'a', n: 1_000 }]);
    await publishKeyed(many(1_000).map(({ n }) => ({ key: 'a', n: 1_001 + n })));
    await Promise.all([bed.engine().start(), bed.engine().start()]);
    await eventually(async () => expect(await bed.counts()).toEqual({ held: 11 * 2_001 }), { withinMs: 30_000 });
    const [row] = await bed.rows<{ wrong: number }>(sql`
      select count(*)::int as wrong from (
        select (e.payload ->> 'n')::int as n, row_number() over (partition by d.connection_id order by d.ordering_position) - 1 as place
        from deliveries d join events e on e.id = d.event_id
      ) p where n <> place`);
    expect(row).toEqual({ wrong: 0 });
  });
});

describe('An ordering key whose deliveries are retried', () => {
  it('keeps their order in a replay, also with deliveries of earlier publishes', async () => {
    const { bed } = test;
    let failing = true;
    let refused = 0;
    const inbox = await test.inbox((response, { body }) => {
      const bad = failing || (JSON.parse(body).data.n === 0 && refused++ === 0);
      response.writeHead(bad ? 500 : 200).end();
    });
    const { connectionId } = await bed.subscribed(inbox.url);
    await bed.engine({ options: { retryDelaysMs: [100], breaker: { failures: 1_000, pauseMs: 1, maxPauseMs: 1 } } }).start();
    // Each time no delivery of the key waits any more when the next events are published.
    for (const upTo of [3, 4, 9]) {
      const [before = 0] = [(await bed.deliveries()).length];
      await publishKeyed(many(upTo - before).map(({ n }) => ({ key: 'a', n: before + n })));
      await eventually(async () => expect(await bed.counts()).toEqual({ failed: upTo }));
    }
    failing = false;
    inbox.received.length = 0;
    const replay = { connectionId: String(connectionId), since: new Date(Date.now() - 3_600_000) };
    await replayDeliveries({ database: bed.database, deliverySignal: { notify() {} } }, bed.caller, replay);
    await publishKeyed([{ key: 'a', n: 9 }]);
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 10 }));
    expect(arrivalsOf(inbox.data, 'a')).toEqual([0, ...many(10).map(({ n }) => n)]);
  });

  it('lets no waiting delivery be retried ahead of another', async () => {
    const { bed } = test;
    const inbox = await test.inbox((response) => response.writeHead(500).end());
    await bed.subscribed(inbox.url);
    await bed.engine({ options: { retryDelaysMs: [600_000] } }).start();
    await publishKeyed(many(2).map(({ n }) => ({ key: 'a', n })));
    await eventually(async () => expect(await bed.counts()).toEqual({ retrying: 1, pending: 1 }));
    const second = (await bed.deliveries()).find(({ status }) => status === 'pending');
    const retried = retryDelivery({ database: bed.database, deliverySignal: { notify() {} } }, bed.caller, {
      deliveryId: second?.id ?? '',
    });
    await expect(retried).rejects.toThrow('ordering key');
    expect(arrivalsOf(inbox.data, 'a')).toEqual([0]);
  });
});

describe('An ordering key whose first delivery is finished', () => {
  it('continues at once when that was cancelled with its subscription', async () => {
    const { bed } = test;
    const inbox = await test.inbox((response) => response.writeHead(500).end());
    const { connectionId, subscriptionId } = await bed.subscribed(inbox.url);
    await bed.subscription(connectionId, 'other.event');
    await bed.engine({ options: { retryDelaysMs: [600_000], sweepMs: 600_000 } }).start();
    await publishKeyed([{ key: 'a', n: 0 }]);
    await publishKeyed([{ key: 'a', n: 1 }], 'other.event');
    await eventually(async () => expect(await bed.counts()).toEqual({ retrying: 1, pending: 1 }));
    await bed.database.transaction(async (em) => {
      await cancelForSubscription(em, subscriptionId);
      await sql`delete from subscriptions where id = ${subscriptionId}`.execute(em.getKysely());
    });
    await eventually(() => expect(arrivalsOf(inbox.data, 'a')).toEqual([0, 1]));
  });

  it('continues after a crash before the next delivery was made due, however much else waits', async () => {
    const { bed } = test;
    const inbox = await test.inbox();
    await bed.subscribed(inbox.url);
    for (let n = 0; n < 300; n++) await publishKeyed([{ key: 'a', n }, ...(n >= 298 ? [{ key: 'b', n }] : [])]);
    await bed.database.transaction(async (em) => {
      await sql`set local switchboard.engine = 'on'`.execute(em.getKysely());
      await sql`
        update deliveries set status = 'retrying', due_at = now() + interval '1 hour'
        where ordering_key = 'a' and ordering_position = 1`.execute(em.getKysely());
      await sql`
        update deliveries set status = 'delivered' where ordering_key = 'b' and ordering_position = 1`.execute(em.getKysely());
    });
    await bed.engine().start();
    await eventually(() => expect(arrivalsOf(inbox.data, 'b')).toEqual([299]));
  });
});
