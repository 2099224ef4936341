import { sql } from 'kysely';
import type pg from 'pg';
import type { Database, EntityManager } from '../../database/Database.js';
import { DAY_MS } from '../../domain/duration.js';
import type { Logger } from '../../domain/Logger.js';
import { sweepQueue } from '../queue/tasks.js';
import type { EngineOptions } from './EngineOptions.js';
import type { Settlement } from './Settlement.js';

export interface DisabledConnection {
  readonly connectionId: number;
  readonly organizationId: number;
  /** A sentence for the merchant, stored as the connection's `statusReason`. */
  readonly reason: string;
  /** Start of the unbroken series of failures, if that is the reason; else null. */
  readonly failingSince: Date | null;
}

/** Called in the transaction that disables a connection, so that its writes exist exactly if the connection is disabled. */
export type OnConnectionDisabled = (em: EntityManager, disabled: DisabledConnection) => Promise<void>;

export interface OutcomesOptions {
  readonly database: Database;
  readonly pool: pg.Pool;
  readonly options: Pick<EngineOptions, 'breaker' | 'disableAfterMs' | 'silenceMs'>;
  readonly log: Logger;
  readonly onConnectionDisabled: OnConnectionDisabled;
  /** Returns whether a result of the connection makes room for its next delivery. */
  readonly isCapped: (connectionId: number) => boolean;
  /** Called when a connection is paused; the caller hands its held deliveries back. */
  readonly onPaused: (connectionId: number) => void;
  /** Called when something may be due. */
  readonly onChange: () => void;
}

/** Maximum tries of one step. After the last one, later results or the sweeper repair what was not written. */
const TRIES = 8;
const PAUSE_MS = 200;

/** Milliseconds for which locked rows are skipped from the start, after a lock lasted longer than a statement waits. */
const CAREFUL_MS = 30_000;

/** Maximum ordering keys of one step, because each may take a lock. */
const KEYS_AT_ONCE = 500;

/** Milliseconds after which a key is tried again to which a publisher is adding, and the longest such pause. */
const KEY_AGAIN_MS = 20;
const KEY_AGAIN_AT_MOST_MS = 2_000;

/**
 * Applies the consequences of written results: queues that have waiting deliveries again, the next delivery of an ordering key,
 * the health of connections with the breaker's pauses, and connections to disable.
 *
 * It runs beside the writing of results and never delays it: a locked row delays the consequences for one connection, not the
 * results of the others.
 */
export class Outcomes {
  readonly #parts: OutcomesOptions;
  readonly #failing = new Set<number>();
  readonly #underWay = new Set<Promise<void>>();
  /** Results whose consequences have not been applied yet. */
  #waiting: Settlement[] = [];
  #running = false;
  #carefulUntil = 0;
  #closed = false;

  constructor(parts: OutcomesOptions) {
    this.#parts = parts;
  }

  add(batch: readonly Settlement[]): void {
    if (batch.length === 0) return;
    this.#waiting.push(...batch);
    if (!this.#running) void this.#run();
  }

  /** Resolves when everything that has begun is done, or after `timeoutMs` milliseconds. */
  async close(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while ((this.#running || this.#underWay.size > 0) && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    this.#closed = true;
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0 && !this.#closed) {
      const batch = this.#waiting;
      this.#waiting = [];
      // Health is recorded first, so that a gate is closed before the queue is looked at again.
      await this.#recordHealth(batch);
      await this.#noteWaiting(batch);
      await this.#advanceOrdering(batch);
      for (const [connectionId, reason] of reasonsToDisable(batch)) this.#disable(connectionId, reason, false);
    }
    this.#running = false;
  }

  /** Notes the queues of deliveries to retry, and of connections that have room again. */
  async #noteWaiting(batch: readonly Settlement[]): Promise<void> {
    const { pool, isCapped, onChange } = this.#parts;
    const dues = new Map<number, number>();
    const held = [...new Set(batch.filter(({ state }) => state === 'held').map(({ connectionId }) => connectionId))];
    for (const { connectionId, state, waitMs } of batch) {
      const again = state === 'retrying' || state === 'handedBack';
      if (!again && !isCapped(connectionId)) continue;
      dues.set(connectionId, Math.min(again ? waitMs : 0, dues.get(connectionId) ?? Number.POSITIVE_INFINITY));
    }
    if (held.length > 0) {
      await this.#inParts(held, itself, async (part) => {
        await pool.query({ name: 'note-held', text: 'select note_waiting(null, null, $1::bigint[])', values: [part] });
      });
    }
    if (dues.size === 0) return;
    await this.#inParts([...dues], first, async (part) => {
      await pool.query({
        name: 'note-waiting',
        // A handed-back delivery has an old due time. The queue's due_from did not pass it while it was leased.
        text: `
          select note_waiting(array_agg(n.id), array_agg(now() + n.wait_ms * interval '1 millisecond'), null)
          from unnest($1::bigint[], $2::float8[]) n (id, wait_ms)`,
        values: [part.map(([id]) => id), part.map(([, waitMs]) => waitMs)],
      });
    });
    onChange();
  }

  /** Makes the next delivery of each finished ordering key due. */
  async #advanceOrdering(batch: readonly Settlement[]): Promise<void> {
    const over = batch.filter(({ orderingKey, state }) => orderingKey !== null && state !== 'retrying' && state !== 'handedBack');
    for (let from = 0; from < over.length; from += KEYS_AT_ONCE) {
      const keys = over.slice(from, from + KEYS_AT_ONCE);
      await this.#advance(
        keys.map(({ connectionId }) => connectionId),
        keys.map(({ orderingKey }) => orderingKey as string),
      );
    }
  }

  async #advance(connectionIds: readonly (number | string)[], keys: readonly string[], againMs = KEY_AGAIN_MS): Promise<void> {
    const { pool, log, onChange } = this.#parts;
    try {
      const { rows } = await pool.query<{ left_connection_ids: string[] | null; left_keys: string[] | null }>({
        name: 'advance-ordering',
        text: 'select left_connection_ids, left_keys from try_advance_ordering($1::bigint[], $2::text[])',
        values: [connectionIds, keys],
      });
      onChange();
      const { left_connection_ids: ids, left_keys: left } = rows[0] ?? {};
      // If a publisher takes longer than this, the sweeper's audit makes the key's next delivery due.
      if (!ids || !left || againMs > KEY_AGAIN_AT_MOST_MS) return;
      this.#later(() => this.#advance(ids, left, againMs * 2), againMs);
    } catch (error) {
      log.error({ error: String(error) }, 'Could not let the next of some ordering keys go; the sweeper will');
    }
  }

  async #recordHealth(batch: readonly Settlement[]): Promise<void> {
    const { pool, options, onPaused, onChange } = this.#parts;
    const tallies = tallyHealth(batch, this.#failing);
    if (tallies.length === 0) return;
    await this.#inParts(tallies, idOf, async (part) => {
      for (const { connectionId, paused, hopeless } of await recordHealth(pool, part, options)) {
        if (paused) onPaused(connectionId);
        if (hopeless) this.#disable(connectionId, `Every delivery failed for ${inWords(options.disableAfterMs)}.`, true);
      }
    });
    onChange();
  }

  /**
   * Takes a step for all items. When rows of some connections are locked, those connections are done later and separately. A step
   * that could not be done at once is repeated up to `tries` times.
   */
  async #inParts<T>(
    all: readonly T[],
    idOf: (one: T) => number,
    step: (part: readonly T[]) => Promise<void>,
    tries = TRIES,
  ): Promise<void> {
    let part = all;
    const careful = performance.now() < this.#carefulUntil;
    try {
      if (careful) {
        const free = await this.#free(all.map(idOf));
        part = all.filter((one) => free.has(idOf(one)));
        const locked = all.filter((one) => !free.has(idOf(one)));
        if (locked.length > 0) this.#again(locked, idOf, step, tries, 'their rows are locked');
      }
      if (part.length > 0) await step(part);
    } catch (error) {
      if (isLocked(error)) {
        this.#carefulUntil = performance.now() + CAREFUL_MS;
        if (!careful && part.length > 1) return this.#inParts(part, idOf, step, tries);
      }
      this.#again(part, idOf, step, tries, error);
    }
  }

  #again<T>(
    all: readonly T[],
    idOf: (one: T) => number,
    step: (part: readonly T[]) => Promise<void>,
    tries: number,
    reason: unknown,
  ): void {
    if (tries <= 1 || this.#closed) {
      this.#parts.log.error({ connections: all.length, error: String(reason) }, 'Could not record what follows from results');
      return;
    }
    this.#later(() => this.#inParts(all, idOf, step, tries - 1), PAUSE_MS * 2 ** (TRIES - tries));
  }

  /** Returns the connections whose rows, as written here, are not locked. */
  async #free(connectionIds: readonly number[]): Promise<Set<number>> {
    const { rows } = await this.#parts.pool.query<{ id: string }>({
      name: 'which-are-free',
      text: FREE,
      values: [connectionIds],
    });
    return new Set(rows.map(({ id }) => Number(id)));
  }

  #disable(connectionId: number, reason: string, failing: boolean, tries = TRIES): void {
    const { database, onConnectionDisabled, log, onChange } = this.#parts;
    this.#later(
      async () => {
        try {
          if (!(await disableConnection(database, connectionId, { reason, failing }, onConnectionDisabled))) return;
          log.warn({ connectionId, reason }, 'A connection was disabled');
          // The callback may have published events about the change.
          onChange();
        } catch (error) {
          log.error({ connectionId, error: String(error) }, 'Could not disable a connection');
          if (tries > 1) this.#disable(connectionId, reason, failing, tries - 1);
        }
      },
      PAUSE_MS * (TRIES - tries),
    );
  }

  #later(work: () => Promise<void>, ms: number): void {
    const done = new Promise((resolve) => setTimeout(resolve, ms)).then(() => (this.#closed ? undefined : work()));
    this.#underWay.add(done);
    void done.finally(() => this.#underWay.delete(done));
  }
}

const free = (table: string) => `
  (exists (select from locked_${table} l where l.connection_id = w.id) or not exists (select from ${table} t where t.connection_id = w.id))`;
const locked = (table: string) => `
  locked_${table} as materialized (
    select connection_id from ${table} where connection_id = any($1::bigint[]) for no key update skip locked
  )`;

const FREE = `
  with ${locked('delivery_queues')}, ${locked('connection_health')}
  select w.id from unnest($1::bigint[]) w (id) where ${free('delivery_queues')} and ${free('connection_health')}`;

const itself = (id: number): number => id;
const first = ([id]: readonly [number, ...unknown[]]): number => id;
const idOf = ({ connectionId }: { readonly connectionId: number }): number => connectionId;

/** 55P03 and 40P01: another transaction holds a row locked. */
function isLocked(error: unknown): boolean {
  return /^(55P03|40P01)$/.test(String((error as { code?: unknown } | null)?.code));
}

function reasonsToDisable(batch: readonly Settlement[]): Map<number, string> {
  const reasons = new Map<number, string>();
  for (const { connectionId, disableReason } of batch) if (disableReason) reasons.set(connectionId, disableReason);
  return reasons;
}

/** Formats a duration: 432000000 → "5 days". */
function inWords(ms: number): string {
  const days = ms / DAY_MS;
  return days >= 1 ? `${Math.round(days)} days` : `${Math.round(ms / 1_000)} seconds`;
}

/** What a batch of results says about one connection. */
interface HealthTally {
  readonly connectionId: number;
  /** True after a success. */
  succeeded: boolean;
  /** Failed attempts since the last success. */
  failures: number;
  /** Time of the first of those failures, in ms since 1970 by Postgres's clock. */
  failingSinceMs: number | null;
  /** True when the batch contains the result of a paused connection's probe. */
  probed: boolean;
  throttledForMs: number | null;
}

/**
 * Sums up a batch by connection, in the order of the results. Connections that were and are healthy are left out, so usually no
 * health has to be written.
 *
 * @param failing connections that failed in earlier batches; updated here. A success that was claimed before a failure but came in
 * after it would otherwise count as one of a healthy connection, and the failure would stay on record.
 */
function tallyHealth(batch: readonly Settlement[], failing: Set<number>): HealthTally[] {
  const tallies = new Map<number, HealthTally>();
  const toRecord = new Set<number>();
  for (const result of batch) {
    const { connectionId } = result;
    let tally = tallies.get(connectionId);
    if (!tally) {
      tally = { connectionId, succeeded: false, failures: 0, failingSinceMs: null, probed: false, throttledForMs: null };
      tallies.set(connectionId, tally);
    }
    count(tally, result);
    if (result.verdict === 'bad') failing.add(connectionId);
    if (result.verdict !== 'good' || result.failing || result.probe || failing.has(connectionId)) toRecord.add(connectionId);
    if (result.verdict === 'good') failing.delete(connectionId);
  }
  return [...tallies.values()]
    .filter((tally) => toRecord.has(tally.connectionId) && saysSomething(tally))
    .sort((a, b) => a.connectionId - b.connectionId);
}

function count(tally: HealthTally, { verdict, startedAtMs, probe, throttledForMs }: Settlement): void {
  if (probe) tally.probed = true;
  if (throttledForMs !== null) tally.throttledForMs = Math.max(throttledForMs, tally.throttledForMs ?? 0);
  if (verdict === 'good') Object.assign(tally, { succeeded: true, failures: 0, failingSinceMs: null });
  if (verdict !== 'bad') return;
  tally.failures++;
  tally.failingSinceMs ??= startedAtMs;
}

function saysSomething({ succeeded, failures, probed, throttledForMs }: HealthTally): boolean {
  return succeeded || failures > 0 || probed || throttledForMs !== null;
}

/**
 * Records the health of connections and runs the circuit breaker:
 * - A success closes it.
 * - Enough consecutive failures, or a failed probe, open it for a pause. Each pause is twice as long as the previous one.
 * - Failures of attempts that were in flight when it opened do not extend the pause.
 * - A probe without a verdict is followed by the next probe at once.
 *
 * `failing_since` is the time of the first failure in an unbroken series. A success ends the series. A gap also ends it: when
 * nothing failed for `silenceMs`, nothing was attempted, and the next failure says nothing about that time.
 *
 * When a gate opens before its time, this statement updates the connection's queue.
 */
const RECORD = `
  with recorded as (
    insert into connection_health as h (
      connection_id, consecutive_failures, failing_since, last_failed_at, pauses, paused_until, throttled_until)
    select t.id, t.failures, to_timestamp(t.since_ms / 1000), case when t.failures > 0 then now() end, (t.failures >= $7)::int,
      case when t.failures >= $7 then now() + $8 * interval '1 millisecond' end, now() + t.throttled_ms * interval '1 millisecond'
    from unnest($1::bigint[], $2::bool[], $3::int[], $4::float8[], $5::bool[], $6::float8[])
      as t (id, succeeded, failures, since_ms, probed, throttled_ms)
    join connections c on c.id = t.id
    where t.failures > 0 or t.throttled_ms is not null
      or exists (select from connection_health k where k.connection_id = t.id)
    order by t.id
    on conflict (connection_id) do update set (
      consecutive_failures, failing_since, last_failed_at, pauses, paused_until, throttled_until) = (
      select
        n.failures,
        case when n.failures > 0 then coalesce(n.since, excluded.failing_since, now()) end,
        case when n.failed > 0 then now() else h.last_failed_at end,
        n.pauses + n.opens::int,
        case
          when n.opens then now() + least($8 * power(2, least(n.pauses, 30)), $9) * interval '1 millisecond'
          when n.probed then now()
          else n.paused_until end,
        greatest(h.throttled_until, excluded.throttled_until)
      from (
        select s.*, s.failed > 0 and ((s.paused_until is null and s.failures >= $7) or s.probed) as opens
        from (
          select
            t.failures as failed,
            t.failures + case when t.succeeded then 0 else h.consecutive_failures end as failures,
            case
              when t.succeeded then null
              when t.failures > 0 and coalesce(h.last_failed_at, '-infinity') < now() - $11 * interval '1 millisecond' then null
              else h.failing_since end as since,
            case when t.succeeded then 0 else h.pauses end as pauses,
            case when t.succeeded then null else h.paused_until end as paused_until,
            t.probed and not t.succeeded as probed
          from unnest($1::bigint[], $2::bool[], $3::int[], $4::float8[], $5::bool[], $6::float8[])
            as t (id, succeeded, failures, since_ms, probed, throttled_ms)
          where t.id = h.connection_id
        ) s
      ) n
    )
    returning connection_id, paused_until, throttled_until, failing_since, consecutive_failures
  ), opened as (
    update delivery_queues q set gated_until = greatest(r.paused_until, r.throttled_until, now()),
      ready_at = greatest(r.paused_until, r.throttled_until, now())
    from recorded r
    where q.connection_id = r.connection_id and q.due_from is not null
      and q.gated_until > greatest(r.paused_until, r.throttled_until, now())
  )
  select connection_id, paused_until > now() as paused,
    failing_since < now() - $10 * interval '1 millisecond' and consecutive_failures >= $7 as hopeless
  from recorded`;

interface HealthFinding {
  readonly connectionId: number;
  readonly paused: boolean;
  /** True when all attempts failed for `disableAfterMs`, without a long gap, and there were more than a few. */
  readonly hopeless: boolean;
}

async function recordHealth(
  pool: pg.Pool,
  tallies: readonly HealthTally[],
  { breaker, disableAfterMs, silenceMs }: OutcomesOptions['options'],
): Promise<HealthFinding[]> {
  const { rows } = await pool.query<{ connection_id: string; paused: boolean | null; hopeless: boolean | null }>({
    name: 'record-health',
    text: RECORD,
    values: [
      tallies.map(({ connectionId }) => connectionId),
      tallies.map(({ succeeded }) => succeeded),
      tallies.map(({ failures }) => failures),
      tallies.map(({ failingSinceMs }) => failingSinceMs),
      tallies.map(({ probed }) => probed),
      tallies.map(({ throttledForMs }) => throttledForMs),
      breaker.failures,
      breaker.pauseMs,
      breaker.maxPauseMs,
      disableAfterMs,
      silenceMs,
    ],
  });
  return rows.map((row) => ({
    connectionId: Number(row.connection_id),
    paused: row.paused === true,
    hopeless: row.hopeless === true,
  }));
}

/** Disables an active connection and holds its deliveries. Returns false when it was not active any more. */
function disableConnection(
  database: Database,
  connectionId: number,
  cause: { readonly reason: string; readonly failing: boolean },
  onConnectionDisabled: OnConnectionDisabled,
): Promise<boolean> {
  return database.transaction(async (em) => {
    // A long lock on the row must not occupy a database connection.
    await sql`set local lock_timeout = '1s'`.execute(em.getKysely());
    const { rows } = await sql<{ organization_id: string; failing_since_ms: number | null }>`
      update connections c set status = 'disabled', status_reason = ${cause.reason},
        status_reason_code = ${cause.failing ? 'failing' : 'gone'}, updated_at = now()
      where c.id = ${connectionId} and c.status = 'active'
      returning c.organization_id,
        (select date_part('epoch', h.failing_since) * 1000 from connection_health h where h.connection_id = c.id) as failing_since_ms`.execute(
      em.getKysely(),
    );
    const [disabled] = rows;
    if (!disabled) return false;
    await sweepQueue(em, connectionId);
    await onConnectionDisabled(em, {
      connectionId,
      organizationId: Number(disabled.organization_id),
      reason: cause.reason,
      failingSince: cause.failing && disabled.failing_since_ms !== null ? new Date(disabled.failing_since_ms) : null,
    });
    return true;
  });
}
