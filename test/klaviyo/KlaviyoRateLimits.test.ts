import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { columnIdentity } from '../../src/database/Cipher.js';
import { Database } from '../../src/database/Database.js';
import { newId } from '../../src/database/newId.js';
import { KlaviyoDestination } from '../../src/klaviyo/KlaviyoDestination.js';
import {
  KLAVIYO_LIMITS,
  type KlaviyoEndpoint,
  KlaviyoRateLimits,
  readKlaviyoQuotas,
  sweepKlaviyoQuotas,
} from '../../src/klaviyo/KlaviyoRateLimits.js';
import { createTestDatabase, type TestDatabase } from '../support/createTestDatabase.js';
import { testCipher } from '../support/testCipher.js';
import { parcelEvent } from '../support/webhookFlow.js';

let testDatabase: TestDatabase;
/** Each stands for one process. */
let databases: Database[];
let database: Database;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  databases = await Promise.all([1, 2, 3].map(() => Database.open({ url: testDatabase.url, poolSize: 2 })));
  database = databases[0] as Database;
});
afterAll(async () => {
  await Promise.all(databases.map((each) => each.close()));
  await testDatabase.drop();
});

let accounts = 0;
const newAccount = () => `Account${++accounts}`;

interface Counted {
  readonly second: number;
  readonly in_second: number;
  readonly in_minute: number;
}

async function counted(account: string, endpoint: KlaviyoEndpoint = 'events'): Promise<Counted> {
  const query = sql<Counted>`
    select second::float8, in_second, in_minute from klaviyo_quotas where account_id = ${account} and endpoint = ${endpoint}`;
  return (await query.execute(database.sql())).rows[0] as Counted;
}

/** Sets how many requests were sent in this minute, the last one a second ago. */
const spend = (account: string, endpoint: KlaviyoEndpoint, inMinute: number) =>
  sql`
    insert into klaviyo_quotas (account_id, endpoint, second, in_second, in_minute)
    values (${account}, ${endpoint}, floor(date_part('epoch', now())), 0, ${inMinute})`.execute(database.sql());

/** Waits until no minute of Postgres's clock ends during the test. */
async function withinMinute(): Promise<void> {
  const query = sql<{ left: number }>`select 60 - date_part('second', now())::float8 as left`;
  const left = (await query.execute(database.sql())).rows[0]?.left ?? 0;
  if (left < 5) await sleep(left * 1_000 + 50);
}

describe("Klaviyo's limits for one account, over all processes", () => {
  it('leave room in each second for seconds that begin elsewhere, however many processes want more', async () => {
    const account = newAccount();
    const limits = databases.map((each) => new KlaviyoRateLimits(each));
    const taken = new Map<number, number>();
    let going = true;
    const greedy = limits.flatMap((each) =>
      Array.from({ length: 40 }, async () => {
        while (going) {
          const waitMs = await each.take(account, 'events');
          if (waitMs > 0) {
            await sleep(Math.min(waitMs, 50));
            continue;
          }
          const second = Math.floor(Date.now() / 1_000);
          taken.set(second, (taken.get(second) ?? 0) + 1);
          await sleep(1);
        }
      }),
    );
    await sleep(3_200);
    going = false;
    await Promise.all(greedy);
    const counts = [...taken.values()];
    // Klaviyo's second may cover the end of one of ours and the beginning of the next.
    expect(Math.max(...counts)).toBeLessThanOrEqual(KLAVIYO_LIMITS.events.perSecond);
    expect(Math.max(...counts)).toBeGreaterThan(KLAVIYO_LIMITS.events.perSecond / 4);
  });

  it('let the whole minute be used, and no more', async () => {
    await withinMinute();
    const account = newAccount();
    await spend(account, 'events', 3_490);
    const limits = databases.map((each) => new KlaviyoRateLimits(each));
    const waits = await Promise.all(
      Array.from({ length: 60 }, (_, n) => (limits[n % 3] as KlaviyoRateLimits).take(account, 'events')),
    );
    expect(waits.filter((waitMs) => waitMs === 0)).toHaveLength(10);
    const { second, in_minute } = await counted(account);
    expect(in_minute).toBe(3_500);
    for (const waitMs of waits.filter((each) => each > 0)) {
      expect(waitMs).toBeLessThanOrEqual(60_000 - (second % 60) * 1_000);
      expect(waitMs).toBeGreaterThan(1_000);
    }
  });

  it('cost a single event one place, and get back what a busy process did not use', async () => {
    await withinMinute();
    const account = newAccount();
    const limits = new KlaviyoRateLimits(database);
    for (let sent = 0; sent < 20; sent += 1) expect(await limits.take(account, 'events')).toBe(0);
    const ahead = (await counted(account)).in_minute - 20;
    expect(ahead).toBeGreaterThan(0);
    await sleep(1_100);
    expect(await limits.take(account, 'events')).toBe(0);
    expect((await counted(account)).in_minute).toBeLessThanOrEqual(21 + ahead / 2);
    await sleep(1_100);
    await limits.take(account, 'events');
    await sleep(1_100);
    await limits.take(account, 'events');
    expect((await counted(account)).in_minute).toBe(23);
  });

  it('follow what Klaviyo reports, for all processes', async () => {
    const account = newAccount();
    const [one, other] = databases.map((each) => new KlaviyoRateLimits(each)) as [KlaviyoRateLimits, KlaviyoRateLimits];
    const said = (remaining: number) =>
      new Headers({ 'ratelimit-limit': '3500', 'ratelimit-remaining': String(remaining), 'ratelimit-reset': '30' });
    await one.heard(account, 'events', said(36));
    expect(await other.take(account, 'events')).toBe(0);
    await one.heard(account, 'events', said(35));
    expect(await one.take(account, 'events')).toBeGreaterThan(20_000);
    // The places that it holds are valid for the second in which they were taken.
    await sleep(1_000);
    expect(await other.take(account, 'events')).toBeGreaterThan(20_000);
    expect(await other.take(account, 'bulk')).toBe(0);
    expect(await other.take(newAccount(), 'events')).toBe(0);
  });

  it('apply to bulk requests and account requests as well', async () => {
    await withinMinute();
    const account = newAccount();
    const limits = databases.map((each) => new KlaviyoRateLimits(each));
    const take = (endpoint: KlaviyoEndpoint) =>
      Promise.all(Array.from({ length: 12 }, (_, n) => (limits[n % 3] as KlaviyoRateLimits).take(account, endpoint)));
    const before = Math.floor(Date.now() / 1_000);
    const granted = (await take('bulk')).filter((waitMs) => waitMs === 0).length;
    expect(granted).toBeLessThanOrEqual(5 * (Math.floor(Date.now() / 1_000) - before + 1));
    expect(granted).toBeGreaterThanOrEqual(5);
    expect((await take('accounts')).filter((waitMs) => waitMs === 0)).toHaveLength(1);
    const full = newAccount();
    await spend(full, 'accounts', 15);
    expect(await (limits[0] as KlaviyoRateLimits).take(full, 'accounts')).toBeGreaterThan(1_000);
  });

  it('accept a clock that was set back', async () => {
    const account = newAccount();
    await sql`
      insert into klaviyo_quotas (account_id, endpoint, second, in_second, in_minute)
      values (${account}, 'events', floor(date_part('epoch', now())) + 86400, 175, 3500)`.execute(database.sql());
    expect(await new KlaviyoRateLimits(database).take(account, 'events')).toBe(0);
  });
});

describe('The remaining quota', () => {
  it('can be read, and its row is deleted after a day', async () => {
    await withinMinute();
    const account = newAccount();
    expect(await readKlaviyoQuotas(database, [account])).toEqual([]);
    await spend(account, 'bulk', 149);
    const limits = new KlaviyoRateLimits(database);
    expect(await limits.take(account, 'bulk')).toBe(0);
    const [quota] = await readKlaviyoQuotas(database, [account, 'nobody']);
    expect(quota).toMatchObject({
      ...{ account, endpoint: 'bulk', perSecondLimit: 10, perMinuteLimit: 150, perMinuteRemaining: 0, pausedUntil: null },
    });
    expect([9, 10]).toContain(quota?.perSecondRemaining);
    expect((quota?.resetsAt.getTime() ?? 0) % 60_000).toBe(0);
    await new KlaviyoRateLimits(database).pause(account, 'bulk', 30_000);
    expect((await readKlaviyoQuotas(database, [account]))[0]?.pausedUntil?.getTime()).toBeGreaterThan(Date.now());
    await sql`update klaviyo_quotas set second = second - 90000, paused_until = now() where account_id = ${account}`.execute(
      database.sql(),
    );
    expect(await readKlaviyoQuotas(database, [account])).toEqual([]);
    expect(await sweepKlaviyoQuotas(database)).toBe(1);
  });
});

describe('The boundary between two windows, with a clock that the test sets', () => {
  let clockDatabase: TestDatabase;
  let ticking: Database;
  /** The beginning of a minute, in seconds since 1970. */
  const MINUTE = 30_000_000 * 60;

  beforeAll(async () => {
    clockDatabase = await createTestDatabase();
    const setUp = await Database.open({ url: clockDatabase.url, poolSize: 1 });
    for (const statement of [
      'create schema test_clock',
      'create table test_clock.clock (now timestamptz)',
      'insert into test_clock.clock values (now())',
      "create function test_clock.clock_timestamp() returns timestamptz language sql as 'select now from test_clock.clock'",
      // First in the search path, so it replaces Postgres's own function.
      `alter database ${new URL(clockDatabase.url).pathname.slice(1)} set search_path = test_clock, pg_catalog, public`,
    ]) {
      await sql.raw(statement).execute(setUp.sql());
    }
    await setUp.close();
    ticking = await Database.open({ url: clockDatabase.url, poolSize: 2 });
  });
  afterAll(async () => {
    await ticking.close();
    await clockDatabase.drop();
  });

  /** Returns how many of `wanted` requests, each of another process, get a place at a given second. */
  async function grantedAt(second: number, account: string, endpoint: KlaviyoEndpoint, wanted: number): Promise<number> {
    await sql`update test_clock.clock set now = to_timestamp(${second})`.execute(ticking.sql());
    const limits = new KlaviyoRateLimits(ticking);
    const waits = await Promise.all(Array.from({ length: wanted }, () => limits.take(account, endpoint)));
    return waits.filter((waitMs) => waitMs === 0).length;
  }

  it('two seconds in a row have no more places than one of Klaviyo’s', async () => {
    const account = newAccount();
    expect(await grantedAt(MINUTE + 10.9, account, 'events', 500)).toBe(175);
    expect(await grantedAt(MINUTE + 11.0, account, 'events', 500)).toBe(175);
    expect(await grantedAt(MINUTE + 10.5, account, 'accounts', 5)).toBe(1);
    expect(await grantedAt(MINUTE + 11.5, account, 'accounts', 5)).toBe(0);
    expect(await grantedAt(MINUTE + 12.5, account, 'accounts', 5)).toBe(1);
  });

  it('what was sent in the last second of a minute counts in the next one, too', async () => {
    const account = newAccount();
    let inMinute = 0;
    for (let second = 40; second < 60; second += 1) inMinute += await grantedAt(MINUTE + second, account, 'events', 200);
    expect(inMinute).toBe(3_500);
    let inNext = 0;
    for (let second = 60; second < 90; second += 1) inNext += await grantedAt(MINUTE + second, account, 'events', 200);
    expect(inNext).toBe(3_325);
    expect(await grantedAt(MINUTE + 121, account, 'events', 200)).toBe(175);
  });
});

describe('A clock change', () => {
  it('makes no process wait for the length of the jump', async () => {
    const accountId = newAccount();
    const klaviyo = new KlaviyoDestination({
      apiUrl: 'http://127.0.0.1:1',
      revision: '2025-01-15',
      fetch: async () => new Response('', { status: 429, headers: { 'retry-after': '2' } }),
      cipher: testCipher,
      limits: new KlaviyoRateLimits(database),
      backfillAfterMs: 86_400_000,
      accessToken: async () => ({ token: 'a token', version: 1, accountId }),
      scopeMissing: async () => {},
    });
    const deliver = () => {
      const id = newId();
      const recipient = testCipher.encrypt('{"email":"anna@example.com"}', columnIdentity.recipient(id));
      const event = {
        id,
        eventType: 'parcels.event.created',
        payload: JSON.stringify(parcelEvent()),
        recipient,
        ...{ occurredAt: null, value: null, valueCurrency: null, properties: null, isTest: false },
        createdAt: new Date(),
      };
      const job = { deliveryId: newId(), attemptNumber: 1, event, connection: { id: 1 } as never };
      return klaviyo.deliver(job, new AbortController().signal);
    };
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 30 * 86_400_000 });
    try {
      expect(await deliver()).toEqual({ kind: 'throttled', forMs: 2_000 });
    } finally {
      vi.useRealTimers();
    }
    const after = await deliver();
    expect(after).toMatchObject({ kind: 'throttled' });
    expect('forMs' in after ? after.forMs : 0).toBeLessThanOrEqual(2_000);
  });
});
