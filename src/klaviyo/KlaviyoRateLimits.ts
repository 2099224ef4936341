import { sql } from 'kysely';
import type { Database } from '../database/Database.js';

export interface KlaviyoLimit {
  readonly perSecond: number;
  readonly perMinute: number;
}

/** Klaviyo's fixed windows for each account and app: create_event, bulk_create_events, get_accounts. */
export const KLAVIYO_LIMITS = {
  events: { perSecond: 350, perMinute: 3_500 },
  bulk: { perSecond: 10, perMinute: 150 },
  accounts: { perSecond: 1, perMinute: 15 },
} as const satisfies Record<string, KlaviyoLimit>;

export type KlaviyoEndpoint = keyof typeof KLAVIYO_LIMITS;

/** Maximum number of places that a busy process reserves ahead, so that not every event costs a statement. */
const MAX_AHEAD = 50;

/** When at most this part of a minute's limit is left according to Klaviyo, it is kept for requests in flight. */
const RESERVE = 1 / 100;

/** Maximum number of windows in memory; far more than can be busy within a minute. */
const MAX_WINDOWS = 10_000;

/** The state of one account and endpoint in this process. Times are values of `performance.now()`. */
interface Window {
  readonly account: string;
  readonly endpoint: KlaviyoEndpoint;
  /** Places taken from Postgres and not used yet. */
  places: number;
  /** The second in which the places are valid, in seconds since 1970 by Postgres's clock, and the time it ends. */
  second: number;
  endsAt: number;
  /** Number of places to reserve ahead. */
  ahead: number;
  /** No places are available before this time. */
  closedUntil: number;
  readonly waiting: { readonly resolve: (waitMs: number) => void; readonly reject: (error: unknown) => void }[];
  asking: boolean;
}

/**
 * Keeps the requests of all processes to one Klaviyo account below Klaviyo's limits. Postgres counts, by its own clock. A process
 * takes places for the current second, several at once while it is busy, and gives back the unused ones.
 *
 * Klaviyo's seconds begin at other moments than ours, and a request takes time to arrive. So at most half of a second's limit is
 * used in a second, and at most one second's limit in two consecutive seconds. Requests of a minute's last second also count in
 * the next minute. Klaviyo's `RateLimit-Remaining` and 429 responses apply to all processes as well.
 */
export class KlaviyoRateLimits {
  readonly #windows = new Map<string, Window>();

  constructor(private readonly database: Database) {}

  /**
   * Takes a place for one request to an account, to be sent at once. Returns 0, or the milliseconds until a place may be free.
   * @param account Klaviyo's id of the account, or a substitute while that is unknown.
   */
  async take(account: string, endpoint: KlaviyoEndpoint): Promise<number> {
    const window = this.#windowOf(account, endpoint);
    const now = performance.now();
    if (now < window.closedUntil) return Math.ceil(window.closedUntil - now);
    if (window.places > 0 && now < window.endsAt) {
      window.places -= 1;
      return 0;
    }
    return new Promise((resolve, reject) => {
      window.waiting.push({ resolve, reject });
      if (!window.asking) void this.#ask(window);
    });
  }

  /** Applies `RateLimit-Remaining` and `RateLimit-Reset` (seconds), which describe the current minute. */
  async heard(account: string, endpoint: KlaviyoEndpoint, headers: Headers): Promise<void> {
    const remaining = Number(headers.get('ratelimit-remaining') ?? Number.NaN);
    const resetSeconds = Number(headers.get('ratelimit-reset') ?? Number.NaN);
    if (!(remaining <= Math.floor(KLAVIYO_LIMITS[endpoint].perMinute * RESERVE)) || !Number.isFinite(resetSeconds)) return;
    await this.pause(account, endpoint, Math.min(resetSeconds, 60) * 1_000);
  }

  /** Stops all processes from sending for `ms` milliseconds. */
  async pause(account: string, endpoint: KlaviyoEndpoint, ms: number): Promise<void> {
    const window = this.#windowOf(account, endpoint);
    const until = performance.now() + ms;
    // All requests in flight get the same answer, so the pause is recorded once.
    if (until <= window.closedUntil + 1_000 && performance.now() < window.closedUntil) return;
    window.closedUntil = Math.max(window.closedUntil, until);
    window.places = 0;
    await sql`
      insert into klaviyo_quotas as q (account_id, endpoint, second, paused_until)
      values (${account}, ${endpoint}, date_part('epoch', now())::bigint, now() + ${ms} * interval '1 millisecond')
      on conflict (account_id, endpoint) do update
        set paused_until = greatest(q.paused_until, excluded.paused_until)`.execute(this.database.sql());
  }

  /** Asks Postgres for places as long as a caller waits. More callers may come meanwhile. */
  async #ask(window: Window): Promise<void> {
    window.asking = true;
    while (window.waiting.length > 0) {
      const asking = window.waiting.splice(0);
      const unused = window.places;
      window.places = 0;
      const busy = performance.now() < window.endsAt;
      window.ahead = busy ? Math.min(MAX_AHEAD, window.ahead * 2 + 1) : Math.max(0, Math.floor(window.ahead / 2) - unused);
      try {
        const taken = await takePlaces(this.database, window, asking.length, unused);
        const now = performance.now();
        window.second = taken.second;
        window.endsAt = now + taken.endsInMs;
        if (taken.granted < asking.length) window.closedUntil = Math.max(window.closedUntil, now + taken.waitMs);
        else window.places = taken.granted - asking.length;
        for (const [index, { resolve }] of asking.entries()) resolve(index < taken.granted ? 0 : Math.ceil(taken.waitMs));
      } catch (error) {
        for (const { reject } of asking) reject(error);
      }
    }
    window.asking = false;
  }

  #windowOf(account: string, endpoint: KlaviyoEndpoint): Window {
    const key = `${endpoint} ${account}`;
    let window = this.#windows.get(key);
    if (!window) {
      if (this.#windows.size >= MAX_WINDOWS) this.#forgetOne();
      const none = { places: 0, second: 0, endsAt: 0, ahead: 0, closedUntil: 0 };
      window = { account, endpoint, ...none, waiting: [], asking: false };
      this.#windows.set(key, window);
    }
    return window;
  }

  #forgetOne(): void {
    for (const [key, { asking }] of this.#windows) {
      if (asking) continue;
      this.#windows.delete(key);
      return;
    }
  }
}

interface Taken {
  readonly granted: number;
  /** The second in which the places are valid, and the milliseconds until it ends. */
  readonly second: number;
  readonly endsInMs: number;
  /** Milliseconds until more places may be free. */
  readonly waitMs: number;
}

/**
 * Gives back unused places and takes the wanted ones, as far as there are any, in one statement. It gives at most half of a
 * second's limit in a second, and at most one second's limit in two consecutive seconds.
 */
async function takePlaces(database: Database, window: Window, asked: number, unused: number): Promise<Taken> {
  const { account, endpoint, second, ahead } = window;
  const { perSecond, perMinute } = KLAVIYO_LIMITS[endpoint];
  const wanted = endpoint === 'events' ? asked + ahead : asked;
  const half = Math.ceil(perSecond / 2);
  const first = Math.min(wanted, half);
  const { rows } = await sql<{
    second: string;
    in_minute: number;
    granted: number;
    paused_ms: number | null;
    now_ms: number;
  }>`
    insert into klaviyo_quotas as q (account_id, endpoint, second, in_second, in_minute, granted)
    values (${account}, ${endpoint}, floor(date_part('epoch', clock_timestamp())), ${first}, ${first}, ${first})
    on conflict (account_id, endpoint) do update
    set (second, in_second, in_previous_second, in_minute, granted) = (
      select c.second, c.in_second + c.granted, c.in_previous_second, c.in_minute + c.granted, c.granted
      from (
        select b.*, case when q.paused_until > clock_timestamp() then 0 else greatest(0, least(
            ${wanted}::int, ${half}::int - b.in_second, ${perSecond}::int - b.in_previous_second - b.in_second,
            ${perMinute}::int - b.in_minute)) end as granted
        from (
          select n.second,
            greatest(0, case when n.second = q.second then q.in_second else 0 end - n.back_in_second) as in_second,
            case when n.second = q.second then q.in_previous_second when n.second = q.second + 1 then q.in_second else 0 end
              as in_previous_second,
            greatest(0, case
              when n.second / 60 = q.second / 60 then q.in_minute
              when n.second = q.second + 1 then q.in_second
              else 0 end - n.back_in_minute) as in_minute
          from (
            select s.second,
              case when s.second = ${second}::bigint then ${unused}::int else 0 end as back_in_second,
              case when s.second / 60 = ${second}::bigint / 60 then ${unused}::int else 0 end as back_in_minute
            from (
              -- A statement that waited for the row may be a moment behind. A clock that was set back further is accepted.
              select case when q.second > t.second and q.second <= t.second + 5 then q.second else t.second end as second
              from (select floor(date_part('epoch', clock_timestamp()))::bigint as second) t
            ) s
          ) n
        ) b
      ) c
    )
    returning second, in_minute, granted, date_part('epoch', paused_until - clock_timestamp()) * 1000 as paused_ms,
      date_part('epoch', clock_timestamp()) * 1000 as now_ms`.execute(database.sql());
  const [row] = rows;
  if (!row) throw new Error('Postgres returned no row of klaviyo_quotas.');
  const current = Number(row.second);
  const endsInMs = (current + 1) * 1_000 - row.now_ms;
  const full = row.in_minute >= perMinute;
  const waitMs = Math.max(1, row.paused_ms ?? 0, full ? (Math.floor(current / 60) + 1) * 60_000 - row.now_ms : endsInMs);
  return { granted: row.granted, second: current, endsInMs, waitMs };
}

/** The remaining quota of one limit of an account, over all processes. */
export interface KlaviyoQuota {
  /** Klaviyo's id of the account. */
  readonly account: string;
  readonly endpoint: string;
  readonly perSecondLimit: number;
  readonly perSecondRemaining: number;
  readonly perMinuteLimit: number;
  readonly perMinuteRemaining: number;
  /** End of the minute. */
  readonly resetsAt: Date;
  /** Nothing is sent before this time, because Klaviyo limited the account; null otherwise. */
  readonly pausedUntil: Date | null;
}

/** Returns the quotas of those accounts that were used within the last minute or have to wait. */
export async function readKlaviyoQuotas(database: Database, accounts: readonly string[]): Promise<KlaviyoQuota[]> {
  const { rows } = await sql<{
    account_id: string;
    endpoint: KlaviyoEndpoint;
    in_second: number;
    in_minute: number;
    resets_at: Date;
    paused_until: Date | null;
  }>`
    select account_id, endpoint,
      case when second = n.now then in_second else 0 end as in_second,
      case when second / 60 = n.now / 60 then in_minute else 0 end as in_minute,
      to_timestamp((n.now / 60 + 1) * 60) as resets_at,
      case when paused_until > now() then paused_until end as paused_until
    from klaviyo_quotas, (select floor(date_part('epoch', now()))::bigint as now) n
    where account_id = any(${sql.val(accounts)}::text[]) and (second > n.now - 60 or paused_until > now())`.execute(
    database.sql(),
  );
  return rows.map((row) => {
    const { perSecond, perMinute } = KLAVIYO_LIMITS[row.endpoint];
    return {
      account: row.account_id,
      endpoint: row.endpoint,
      perSecondLimit: perSecond,
      perSecondRemaining: Math.max(0, perSecond - row.in_second),
      perMinuteLimit: perMinute,
      perMinuteRemaining: Math.max(0, perMinute - row.in_minute),
      resetsAt: row.resets_at,
      pausedUntil: row.paused_until,
    };
  });
}

/** Deletes the rows of accounts that were not used for a day. */
export async function sweepKlaviyoQuotas(database: Database): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from klaviyo_quotas
    where second < date_part('epoch', now()) - 86400 and (paused_until is null or paused_until < now())`.execute(database.sql());
  return Number(numAffectedRows ?? 0);
}
