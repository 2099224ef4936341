import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import pg from 'pg';
import { describe, expect, it, vi } from 'vitest';
import { newId } from '../../src/database/newId.js';
import type { AttemptReport, Destination } from '../../src/delivery/Destination.js';
import { insertDeliveries, WaitingQuota } from '../../src/delivery/queue/insertDeliveries.js';
import { cancelForSubscription, expireHeld } from '../../src/delivery/queue/tasks.js';
import { replayDeliveries } from '../../src/delivery/replayDeliveries.js';
import { retryDelivery } from '../../src/delivery/retryDelivery.js';
import { eventually } from '../support/eventually.js';
import { status } from './support/Inbox.js';
import { testbedOfFile } from './support/testbedOfFile.js';

const test = testbedOfFile();
const many = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));
const good: AttemptReport = { durationMs: 1, statusCode: 200, responseBody: 'ok', error: null };
const signal = { notify() {} };

/** Returns a destination with a given answer. */
function destination(answer: Destination['deliver'], maxDurationMs = 1_000): Destination {
  return { type: 'webhook', maxDurationMs, deliver: answer };
}

/** Runs `work` while an open transaction of another session has executed a statement. */
async function whileLocked(statement: string, work: () => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: test.url });
  await client.connect();
  try {
    await client.query('begin');
    await client.query(statement);
    await work();
  } finally {
    await client.end();
  }
}

describe('Nothing is lost', () => {
  it('when there are more connections than fit into memory', async () => {
    const { bed } = test;
    const inbox = await test.inbox();
    for (let index = 0; index < 40; index++) await bed.subscribed(`${inbox.url}/${index}`);
    await bed.publish(many(10));
    await bed.engine({ options: { cachedConnections: 5 } }).start();
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 400 }));
    expect(new Set(inbox.ids)).toHaveLength(400);
    expect(inbox.received).toHaveLength(400);
  });

  it('of cancelled deliveries: they can be retried like failed ones, as long as the subscription exists', async () => {
    const { bed } = test;
    const inbox = await test.inbox();
    await bed.subscribed(inbox.url);
    await bed.publish([{}]);
    await bed.rows(sql`update deliveries set status = 'cancelled'`);
    await bed.engine().start();
    const [cancelled] = await bed.deliveries();
    const retried = { deliveryId: cancelled?.id ?? '' };
    await retryDelivery({ database: bed.database, deliverySignal: signal }, bed.caller, retried);
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 1 }));
  });

  it('when waiting deliveries are written by hand, or a crash left them without a queue entry', async () => {
    const { bed } = test;
    const inbox = await test.inbox();
    await bed.subscribed(inbox.url);
    await bed.publish(many(3));
    await bed.engine().start();
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 3 }));
    await bed.database.transaction(async (em) => {
      await sql`set local switchboard.engine = 'on'`.execute(em.getKysely());
      await sql`update deliveries set status = 'pending', due_at = now()`.execute(em.getKysely());
      await sql`update delivery_queues set ready_at = null, due_from = null`.execute(em.getKysely());
    });
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 3 }));
    expect(inbox.received).toHaveLength(6);
  });

  it('when publishers and workers race to update a queue’s row', async () => {
    const { bed } = test;
    const inbox = await test.inbox();
    for (let index = 0; index < 3; index++) await bed.subscribed(`${inbox.url}/${index}`);
    // No polling and no audit, so a delivery is only found through its queue's row.
    const options = { pollMs: 60_000, sweepMs: 60_000 };
    const engines = [bed.engine({ options }), bed.engine({ options })];
    await Promise.all(engines.map((engine) => engine.start()));
    await Promise.all(
      Array.from({ length: 12 }, async (_, publisher) => {
        for (let n = 0; n < 25; n++) {
          await bed.database.transaction(async (em) => {
            await bed.publishIn(em, [{ publisher, n }]);
            await sleep(Math.random() * 8);
          });
          for (const engine of engines) engine.wake();
        }
      }),
    );
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 900 }));
    expect(inbox.received).toHaveLength(900);
  });
});

describe('One result that Postgres can not hold', () => {
  it.each([
    ['a null character', { ...good, responseBody: 'a\0b', error: { code: 'x\0', message: 'y\0' } }],
    ['half a character', { ...good, responseBody: 'a\ud800b' }],
    ['a time that no integer holds', { ...good, durationMs: 30 * 86_400_000_000 }],
    ['a time that is no number', { ...good, durationMs: Number.NaN }],
    ['a time that runs backwards', { ...good, durationMs: -5 }],
    ['a status that no integer holds', { ...good, statusCode: 2 ** 40 }],
  ])('is made storable when it arrives: %s', async (_, attempt) => {
    const { bed } = test;
    await bed.subscribed('http://127.0.0.1:1/');
    await bed.publish([{}]);
    await bed.engine({ destinations: [destination(async () => ({ kind: 'delivered', attempt }))] }).start();
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 1 }));
    expect(await bed.attempts()).toHaveLength(1);
  });

  it('is stored as an internal fault, and the others of its batch unchanged, once', async () => {
    const { bed } = test;
    await bed.rows(sql`alter table attempts add constraint refused check (status_code <> 299)`);
    const logged: string[] = [];
    try {
      await bed.subscribed('http://127.0.0.1:1/');
      await bed.publish(many(60));
      let sent = 0;
      const odd = destination(async () => ({ kind: 'delivered', attempt: { ...good, statusCode: ++sent === 30 ? 299 : 200 } }));
      const log = { debug() {}, info() {}, warn() {}, error: (_: object, text: string) => logged.push(text) };
      await bed.engine({ destinations: [odd], log: log as never }).start();
      await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 60 }));
      expect(sent).toBe(60);
      const attempts = await bed.attempts();
      expect(attempts.filter(({ error_code }) => error_code === 'unstorable')).toHaveLength(1);
      expect(attempts.filter(({ status_code }) => status_code === 200)).toHaveLength(59);
      expect(logged).toContain('Postgres refused a result');
    } finally {
      await bed.rows(sql`truncate attempts`);
      await bed.rows(sql`alter table attempts drop constraint refused`);
    }
  });
});

describe('A lock by another session', () => {
  it('on a delivery delays that one and no other', async () => {
    const { bed } = test;
    let sent = 0;
    let answer: () => void = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const slow = destination(async () => {
      sent++;
      await answered;
      return { kind: 'delivered', attempt: good };
    }, 10_000);
    await bed.subscribed('http://127.0.0.1:1/');
    await bed.publish(many(20));
    await bed.engine({ destinations: [slow], options: { pollMs: 50 } }).start();
    await eventually(() => expect(sent).toBe(20));
    await whileLocked('select from deliveries order by id limit 1 for update', async () => {
      answer();
      await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 19, pending: 1 }));
    });
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 20 }));
    expect(sent).toBe(20);
    expect(await bed.attempts()).toHaveLength(20);
  });

  it('on a connection that is to be disabled delays that, and no result', async () => {
    const { bed } = test;
    const gone = await test.inbox();
    const inbox = await test.inbox();
    const { connectionId } = await bed.subscribed(gone.url);
    await bed.subscribed(inbox.url, { eventType: 'other.event' });
    await bed.engine().start();
    await bed.publish([{}]);
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 1 }));
    gone.answer = status(410);
    await whileLocked(`select from connections where id = ${connectionId} for update`, async () => {
      await bed.publish([{}]);
      await eventually(() => expect(gone.received).toHaveLength(2));
      await bed.publish(many(30), 'other.event');
      await eventually(async () => expect(await bed.counts()).toEqual({ failed: 1, delivered: 31 }));
    });
    const statusOf = () => bed.rows(sql`select status from connections where id = ${connectionId}`);
    await eventually(async () => expect(await statusOf()).toEqual([{ status: 'disabled' }]));
  });

  it('on a queue, by a publisher that does not commit, delays no other publisher and no delivery', async () => {
    const { bed } = test;
    const inbox = await test.inbox();
    await bed.subscribed(inbox.url);
    await bed.engine().start();
    await bed.publish([{ n: 0 }]);
    await eventually(() => expect(inbox.received).toHaveLength(1));
    await bed.publish([{ n: 1 }]);
    const stuck = bed.database.transaction(async (em) => {
      await bed.publishIn(em, [{ n: 2 }]);
      await sleep(1_500);
    });
    await sleep(100);
    await Promise.all(many(10).map(({ n }) => bed.publish([{ n: 3 + n }])));
    await stuck;
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 13 }));
    expect(inbox.received).toHaveLength(13);
  });
});

describe("Deliveries of a deleted subscription's long queue", () => {
  it('are cancelled in steps, the newest at once, and one that is locked a moment later', async () => {
    const { bed } = test;
    const { subscriptionId } = await bed.subscribed('http://127.0.0.1:1/', { status: 'disabled' });
    for (let index = 0; index < 12; index++) await bed.publish(many(1_000));
    await whileLocked('select from deliveries order by id desc limit 1 for update', async () => {
      await bed.database.transaction(async (em) => {
        expect(await cancelForSubscription(em, subscriptionId)).toBe(1_000);
        await sql`delete from subscriptions where id = ${subscriptionId}`.execute(em.getKysely());
      });
      await bed.engine().start();
      await eventually(async () => expect(await bed.counts()).toEqual({ cancelled: 11_999, held: 1 }));
    });
    await eventually(async () => expect(await bed.counts()).toEqual({ cancelled: 12_000 }));
  });
});

describe("A worker's own clock", () => {
  it('has no effect: when it is an hour ahead of Postgres, a rate limit still has its full length', async () => {
    const { bed } = test;
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });
    try {
      let calls = 0;
      const limited = destination(async () =>
        ++calls === 1 ? { kind: 'throttled', forMs: 300 } : { kind: 'delivered', attempt: good },
      );
      await bed.subscribed('http://127.0.0.1:1/');
      await bed.publish([{}]);
      await bed.engine({ destinations: [limited] }).start();
      await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 1 }));
    } finally {
      vi.useRealTimers();
    }
    const [attempt] = await bed.rows<{ apart: number }>(
      sql`select abs(date_part('epoch', now() - started_at))::int as apart from attempts`,
    );
    expect(attempt?.apart).toBeLessThan(60);
    const throttled = await bed.rows(sql`select throttled_until > now() + interval '1 minute' as far from connection_health`);
    expect(throttled).toEqual([{ far: false }]);
  });

  it('does not date a signature either', async () => {
    const { bed } = test;
    const inbox = await test.inbox();
    await bed.subscribed(inbox.url);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });
    try {
      await bed.engine().start();
      await bed.publish([{}]);
      await eventually(() => expect(inbox.received).toHaveLength(1));
    } finally {
      vi.useRealTimers();
    }
    const signedAt = Number(inbox.received[0]?.headers['webhook-timestamp']) * 1_000;
    expect(Math.abs(signedAt - Date.now())).toBeLessThan(60_000);
  });
});

describe('An internal fault', () => {
  it('by an unreachable database uses up no attempt: the delivery is handed back', async () => {
    const { bed } = test;
    let calls = 0;
    const cut = destination(async () => {
      if (++calls === 1) throw new Error('timeout exceeded when trying to connect');
      return { kind: 'delivered', attempt: good };
    });
    await bed.subscribed('http://127.0.0.1:1/');
    await bed.publish([{}]);
    await bed.engine({ destinations: [cut] }).start();
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 1 }));
    expect(await bed.attempts()).toMatchObject([{ number: 1, status_code: 200 }]);
  });

  it('by silent name servers is blamed on no receiver', async () => {
    const { bed } = test;
    let silent = true;
    const unresolved = destination(async () =>
      silent
        ? { kind: 'unavailable', restMs: 200, reason: 'Our name servers do not answer.' }
        : { kind: 'delivered', attempt: good },
    );
    await bed.subscribed('http://127.0.0.1:1/');
    await bed.publish(many(20));
    await bed
      .engine({ destinations: [unresolved], options: { breaker: { failures: 2, pauseMs: 60_000, maxPauseMs: 60_000 } } })
      .start();
    await sleep(600);
    silent = false;
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 20 }));
    expect(await bed.attempts()).toHaveLength(20);
    expect(await bed.rows(sql`select * from connection_health where consecutive_failures > 0`)).toEqual([]);
  });
});

describe('A connection that is turned on again after days', () => {
  it('starts a new series: its first failure does not disable it', async () => {
    const { bed } = test;
    const inbox = await test.inbox(status(500));
    const { connectionId } = await bed.subscribed(inbox.url);
    await bed.rows(sql`
      insert into connection_health (connection_id, consecutive_failures, failing_since, pauses, paused_until)
      values (${connectionId}, 50, now() - interval '6 days', 9, now() + interval '1 hour')`);
    await bed.rows(sql`update connections set status = 'disabled'`);
    await bed.publish(many(12));
    await bed.engine({ options: { retryDelaysMs: [], breaker: { failures: 3, pauseMs: 50, maxPauseMs: 50 } } }).start();
    await bed.rows(sql`update connections set status = 'active'`);
    await eventually(async () => expect(await bed.counts()).toEqual({ failed: 12 }));
    expect(await bed.rows(sql`select status from connections`)).toEqual([{ status: 'active' }]);
  });

  it('is attempted at once when its URL was changed while it was paused', async () => {
    const { bed } = test;
    const broken = await test.inbox(status(500));
    const mended = await test.inbox();
    await bed.subscribed(broken.url);
    await bed.publish(many(3));
    const options = { retryDelaysMs: [10, 10, 10, 10, 10], breaker: { failures: 3, pauseMs: 600_000, maxPauseMs: 600_000 } };
    await bed.engine({ options }).start();
    await eventually(async () =>
      expect(await bed.rows(sql`select from connection_health where paused_until > now()`)).toHaveLength(1),
    );
    await bed.rows(
      sql`update connections set configuration = jsonb_set(configuration, '{url}', ${JSON.stringify(mended.url)}::jsonb)`,
    );
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 3 }));
  });
});

describe('A delivery that waited longer than the maximum age', () => {
  const old = async (eventType = 'test.event') => {
    const { bed } = test;
    await bed.publish([{}], eventType);
    const [before] = await bed.rows<{ id: string }>(sql`select id from deliveries where event_type = ${eventType}`);
    const at = (Date.now() - 40 * 86_400_000).toString(16).padStart(12, '0');
    const id = `${at.slice(0, 8)}-${at.slice(8)}${before?.id.slice(13)}`;
    await bed.rows(sql`update deliveries set id = ${id}, created_at = now() - interval '40 days' where id = ${before?.id}`);
    return id;
  };

  it('is EXPIRED instead of sent, whether it is due or held, and can be retried', async () => {
    const { bed } = test;
    const inbox = await test.inbox();
    await bed.subscribed(inbox.url);
    const off = await bed.subscribed(inbox.url, { status: 'disabled', eventType: 'held.event' });
    await old('test.event');
    await old('held.event');
    await bed.publish([{ fresh: true }], 'held.event');
    await bed.engine().start();
    await eventually(async () => expect(await bed.counts()).toEqual({ expired: 1, held: 2 }));
    expect(await expireHeld({ database: bed.database }, 30 * 86_400_000)).toBe(1);
    expect(await bed.counts()).toEqual({ expired: 2, held: 1 });
    expect(inbox.received).toHaveLength(0);
    await bed.rows(sql`update connections set status = 'active' where id = ${off.connectionId}`);
    for (const { id, status } of await bed.deliveries()) {
      if (status !== 'expired') continue;
      await retryDelivery({ database: bed.database, deliverySignal: signal }, bed.caller, { deliveryId: id });
    }
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 3 }));
  });

  it.each(['retryDelivery', 'replayDeliveries'])('has all its retries when %s makes it due again', async (way) => {
    const { bed } = test;
    const inbox = await test.inbox(status(500));
    const { connectionId } = await bed.subscribed(inbox.url);
    const deliveryId = await old();
    // The state of a delivery that expired between its retries.
    await bed.rows(sql`update deliveries set status = 'retrying', retry_count = 2, attempt_count = 3`);
    await bed.engine({ options: { retryDelaysMs: [20, 20, 20] } }).start();
    await eventually(async () => expect(await bed.counts()).toEqual({ expired: 1 }));
    const deps = { database: bed.database, deliverySignal: signal };
    if (way === 'retryDelivery') await retryDelivery(deps, bed.caller, { deliveryId });
    else {
      const input = { connectionId: String(connectionId), since: new Date(0), statuses: ['expired' as const] };
      expect(await replayDeliveries(deps, bed.caller, input)).toMatchObject({ count: 1 });
    }
    await eventually(async () => expect(await bed.counts()).toEqual({ failed: 1 }));
    expect(inbox.received).toHaveLength(4);
  });

  it('counts its age from its last manual retry, also while it is HELD, and expires again', async () => {
    const { bed } = test;
    const inbox = await test.inbox(status(500));
    await bed.subscribed(inbox.url);
    const deliveryId = await old();
    const engine = bed.engine({ options: { retryDelaysMs: [600_000] } });
    await engine.start();
    await eventually(async () => expect(await bed.counts()).toEqual({ expired: 1 }));
    await retryDelivery({ database: bed.database, deliverySignal: signal }, bed.caller, { deliveryId });
    await eventually(async () => expect(await bed.counts()).toEqual({ retrying: 1 }));
    await bed.rows(sql`update connections set status = 'disabled'`);
    await eventually(async () => expect(await bed.counts()).toEqual({ held: 1 }));
    expect(await expireHeld({ database: bed.database }, 30 * 86_400_000)).toBe(0);
    await bed.rows(sql`update deliveries set retried_at = retried_at - interval '31 days'`);
    expect(await expireHeld({ database: bed.database }, 30 * 86_400_000)).toBe(1);
    expect(await bed.counts()).toEqual({ expired: 1 });
  });
});

describe('A publish for very many subscriptions', () => {
  it('is stored as a whole, and fanned out in steps to the subscriptions of that moment', async () => {
    const { bed } = test;
    const inbox = await test.inbox();
    for (let index = 0; index < 12; index++) await bed.subscribed(inbox.url, { status: 'disabled' });
    const published = await bed.publish(many(1_000));
    await bed.subscribed(inbox.url, { status: 'disabled' });
    expect(await bed.counts()).toEqual({});
    await bed.engine().start();
    await eventually(async () => expect(await bed.counts()).toEqual({ held: 12_000 }), { withinMs: 20_000 });
    const [row] = await bed.rows<{ events: number; pairs: number }>(sql`
      select count(distinct event_id)::int as events, count(distinct (event_id, subscription_id))::int as pairs from deliveries`);
    expect(row).toEqual({ events: published.length, pairs: 12_000 });
    // The end of the fan-out takes one more step to detect.
    await eventually(async () =>
      expect(await bed.rows(sql`select status from delivery_tasks`)).toEqual([{ status: 'completed' }]),
    );
  });

  it('leaves nothing when its transaction is rolled back', async () => {
    const { bed } = test;
    for (let index = 0; index < 11; index++) await bed.subscribed('http://127.0.0.1:1/');
    const failing = bed.database.transaction(async (em) => {
      const events = many(1_000).map(() => ({ id: newId(), eventType: 'test.event' }));
      await insertDeliveries(em, { organizationId: bed.organizationId, events });
      throw new Error('the caller gave up');
    });
    await expect(failing).rejects.toThrow('the caller gave up');
    expect(await bed.rows(sql`select from delivery_tasks`)).toEqual([]);
  });
});

describe('A lock by another session on very many rows', () => {
  it('of queues to be swept delays no other release', async () => {
    const { bed } = test;
    const inbox = await test.inbox();
    for (let index = 0; index < 130; index++) await bed.connection(inbox.url);
    await bed.rows(sql`update delivery_queues set sweep_at = now() - interval '1 hour'`);
    const { connectionId } = await bed.subscribed(inbox.url, { status: 'disabled' });
    await bed.publish([{}]);
    await whileLocked(`select from delivery_queues where connection_id <> ${connectionId} for update`, async () => {
      await bed.engine().start();
      await bed.rows(sql`update connections set status = 'active' where id = ${connectionId}`);
      await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 1 }));
    });
  });

  it('of deliveries delays no other connection', async () => {
    const { bed } = test;
    const inbox = await test.inbox();
    const count = 1_300;
    await bed.rows(sql`
      with made as (
        insert into connections (organization_id, type, status, configuration, signing_secret)
        select ${bed.organizationId}::bigint, 'webhook', 'active',
          jsonb_build_object('url', ${inbox.url}::text, 'authType', 'none', 'extraHeaders', '[]'::jsonb), 'known'
        from generate_series(1, ${count}::int) returning id
      )
      insert into subscriptions (organization_id, connection_id, event_type)
      select ${bed.organizationId}::bigint, id, 'locked.event' from made`);
    await bed.publish([{}], 'locked.event');
    await bed.subscribed(inbox.url);
    await whileLocked('select from deliveries for update', async () => {
      await bed.engine().start();
      await sleep(500);
      await bed.publish([{}]);
      await eventually(async () => expect(await bed.counts()).toEqual({ pending: count, delivered: 1 }));
    });
  });

  it.each([
    ['queues', 'delivery_queues'],
    ['health', 'connection_health'],
  ])('of %s delays the consequences for those connections only', async (_, table) => {
    const { bed } = test;
    const count = 40;
    let answer: () => void = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    let waiting = 0;
    const mixed = destination(async ({ event }) => {
      if (event.eventType === 'test.event') return { kind: 'delivered', attempt: good };
      waiting++;
      await answered;
      return { kind: 'retry', attempt: { ...good, statusCode: 500, error: { code: 'http_500', message: 'No.' } } };
    }, 30_000);
    const locked: number[] = [];
    for (let index = 0; index < count; index++) {
      const { connectionId } = await bed.subscribed('http://127.0.0.1:1/', { eventType: 'locked.event' });
      locked.push(connectionId);
    }
    await bed.rows(sql`insert into connection_health (connection_id) select id from connections`);
    const { connectionId } = await bed.subscribed('http://127.0.0.1:1/');
    await bed.rows(sql`update connections set max_concurrency = 1 where id = ${connectionId}`);
    await bed.publish([{}], 'locked.event');
    const options = { pollMs: 60_000, sweepMs: 60_000, retryDelaysMs: [600_000] };
    const engine = bed.engine({ destinations: [mixed], options });
    await engine.start();
    await eventually(() => expect(waiting).toBe(count));
    await whileLocked(`select from ${table} where connection_id in (${locked}) for update`, async () => {
      answer();
      await eventually(async () => expect(await bed.counts()).toEqual({ retrying: count }));
      await bed.publish(many(12));
      engine.wake();
      // Each of these follows from the one before.
      await eventually(async () => expect(await bed.counts()).toEqual({ retrying: count, delivered: 12 }));
    });
    await eventually(async () =>
      expect(await bed.rows(sql`select from connection_health where consecutive_failures = 1`)).toHaveLength(count),
    );
  });
});

describe('A lock on untried connections', () => {
  it('delays no other first attempt, and uses up none', async () => {
    const { bed } = test;
    const inbox = await test.inbox();
    for (let index = 0; index < 15; index++) await bed.subscribed(inbox.url, { eventType: 'locked.event' });
    const { connectionId } = await bed.subscribed(inbox.url);
    await bed.publish([{}], 'locked.event');
    await whileLocked(`select from connections where id <> ${connectionId} for no key update`, async () => {
      await bed.engine().start();
      await sleep(1_000);
      await bed.publish([{}]);
      await eventually(async () => expect(await bed.counts()).toEqual({ pending: 15, delivered: 1 }));
      await sleep(1_500);
    });
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 16 }));
    expect(await bed.attempts()).toHaveLength(16);
  });
});

describe('A step that fails', () => {
  it('delays no other task', async () => {
    const { bed } = test;
    const { connectionId, subscriptionId } = await bed.subscribed('http://127.0.0.1:1/', { status: 'disabled' });
    await bed.publish(many(3));
    await bed.rows(sql`
      insert into delivery_tasks (id, organization_id, kind, connection_id, input, place, run_at)
      select gen_random_uuid(), ${bed.organizationId}::bigint, 'cancel', ${connectionId}::bigint, '{"subscriptionId": 1}',
        'no uuid', now() - interval '1 hour'
      from generate_series(1, 3)`);
    await bed.database.transaction(async (em) => {
      await cancelForSubscription(em, subscriptionId);
      await sql`delete from subscriptions where id = ${subscriptionId}`.execute(em.getKysely());
    });
    await bed.engine().start();
    const running = () => bed.rows(sql`select place from delivery_tasks where status = 'running'`);
    await eventually(async () => expect(await running()).toEqual(Array(3).fill({ place: 'no uuid' })));
  });
});

describe('A destination’s Retry-After', () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1e300, -1e12])('is limited: %d ms', async (delayMs) => {
    const { bed } = test;
    let sent = 0;
    const odd = destination(async () => {
      sent++;
      return { kind: 'retry', attempt: { ...good, statusCode: 503 }, delayMs };
    });
    await bed.subscribed('http://127.0.0.1:1/');
    await bed.publish([{}]);
    await bed.engine({ destinations: [odd], options: { retryDelaysMs: [600_000] } }).start();
    await eventually(async () => expect(await bed.counts()).toEqual({ retrying: 1 }));
    expect(sent).toBe(1);
    expect(await bed.attempts()).toMatchObject([{ status_code: 503 }]);
    expect((await bed.deliveries())[0]?.due_ms).toBeLessThan(Date.now() + 25 * 86_400_000);
  });

  it('as a date is compared with Postgres’s clock', async () => {
    const { bed } = test;
    const at = Date.now() + 600_000;
    const inbox = await test.inbox((response) => response.writeHead(503, { 'retry-after': new Date(at).toUTCString() }).end());
    await bed.subscribed(inbox.url);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });
    try {
      await bed.engine({ options: { retryDelaysMs: [5_000] } }).start();
      await bed.publish([{}]);
      await eventually(async () => expect(await bed.counts()).toEqual({ retrying: 1 }));
    } finally {
      vi.useRealTimers();
    }
    const [delivery] = await bed.deliveries();
    expect(Math.abs((delivery?.due_ms ?? 0) - at)).toBeLessThan(30_000);
  });
});

describe('The quota of waiting deliveries', () => {
  it('counts deliveries that are still to be fanned out', async () => {
    const { bed } = test;
    for (let index = 0; index < 12; index++) await bed.subscribed('http://127.0.0.1:1/');
    const quota = new WaitingQuota(bed.database, 11_000);
    await quota.check(bed.organizationId);
    await bed.publish(many(1_000));
    await expect(new WaitingQuota(bed.database, 11_000).check(bed.organizationId)).rejects.toThrow('11000 deliveries wait');
    const take = (added: number) => bed.database.transaction((em) => quota.take(em, bed.organizationId, added));
    await expect(take(1_000)).rejects.toMatchObject({ code: 'TOO_MANY_WAITING' });
  });
});
