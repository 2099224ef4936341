import type pg from 'pg';
import { Backoff } from '../../domain/Backoff.js';
import { plainArray } from './openEnginePool.js';
import { isLockTimeout, type Settlement, simplify } from './Settlement.js';

export interface SettlerOptions {
  readonly pool: pg.Pool;
  /** Called with each written batch. Must not reject. The settler does not wait for it. */
  readonly onSettled: (batch: readonly Settlement[]) => void;
  readonly onTrouble: (error: unknown, unsettled: number) => void;
  /** Called with a result that Postgres refuses even without the response. The delivery is due again when its lease ends. */
  readonly onRefused: (settlement: Settlement, error: unknown) => void;
}

/** Maximum rows of one statement. */
const MAX_BATCH = 1_000;

/**
 * Milliseconds for which results are collected before they are written. Few large statements cost the database less than many
 * small ones.
 */
const GATHER_MS = 25;

/** This many results are written at once. */
const ENOUGH = 500;

/** Milliseconds for which locked rows are skipped, after a lock lasted longer than a statement waits. */
const CAREFUL_MS = 30_000;

/** Milliseconds after which a locked row is tried again. */
const LOCKED_AGAIN_MS = 250;

/**
 * Keeps results until the database has them, and writes them in batches. The next batch is collected while one is written.
 *
 * - It repeats a write as long as the database is unavailable. Only `flush`, at the end, gives up.
 * - It halves a batch that Postgres refuses, until the refused result is alone. That result is stored as an internal fault.
 * - It writes the others without a locked row, and tries that row again later.
 */
export class Settler {
  readonly #options: SettlerOptions;
  #queue: Settlement[] = [];
  #writing = false;
  #timer: NodeJS.Timeout | undefined;
  /** Applies while the database is unavailable. */
  readonly #backoff = new Backoff(50, 1_000);
  /** Number of results in the batch that is being written. */
  #underWay = 0;
  /** Results whose rows were locked. */
  readonly #locked = new Set<Settlement>();
  #carefulUntil = 0;
  #idle: (() => void)[] = [];
  #closed = false;

  constructor(options: SettlerOptions) {
    this.#options = options;
  }

  /** Number of results that are not in the database yet. */
  get unsettled(): number {
    return this.#queue.length + this.#underWay + this.#locked.size;
  }

  add(settlement: Settlement): void {
    this.#queue.push(settlement);
    if (this.#writing || this.#closed) return;
    if (this.#queue.length >= ENOUGH) void this.#write();
    else this.#timer ??= setTimeout(() => void this.#write(), GATHER_MS);
  }

  /** Resolves when every result is written, or after `timeoutMs` milliseconds. */
  async flush(timeoutMs: number): Promise<void> {
    if (this.unsettled === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#idle.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Ends all tries. Deliveries without a written result are due again when their leases end. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = true;
    do {
      const batch = this.#takeBatch();
      this.#underWay = batch.length;
      await this.#writeAll([...batch].sort((a, b) => (a.id < b.id ? -1 : 1)));
      this.#underWay = 0;
    } while (this.#queue.length >= (this.#idle.length > 0 ? 1 : ENOUGH) && !this.#closed);
    this.#writing = false;
    if (this.#queue.length > 0 && !this.#closed) this.#timer = setTimeout(() => void this.#write(), GATHER_MS);
    else if (this.unsettled === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Writes a batch, repeatedly if need be, and in halves if Postgres refuses it as a whole. */
  async #writeAll(batch: readonly Settlement[]): Promise<void> {
    for (let again = false; !this.#closed; again = true) {
      try {
        this.#settled(batch, await this.#settle(batch, again));
        this.#backoff.reset();
        return;
      } catch (error) {
        if (isRefusal(error)) return this.#writeWithout(batch, error);
        if (isLockTimeout(error)) this.#carefulUntil = performance.now() + CAREFUL_MS;
        this.#options.onTrouble(error, this.unsettled);
        if (isLockTimeout(error)) continue;
        await new Promise((resolve) => setTimeout(resolve, this.#backoff.next()));
      }
    }
  }

  async #writeWithout(batch: readonly Settlement[], error: unknown): Promise<void> {
    const [only] = batch;
    if (batch.length > 1 || !only) {
      const middle = Math.ceil(batch.length / 2);
      await this.#writeAll(batch.slice(0, middle));
      return this.#writeAll(batch.slice(middle));
    }
    const simpler = simplify(only);
    this.#options.onRefused(only, error);
    if (simpler) await this.#writeAll([simpler]);
  }

  /** @returns the ids that were not written because their rows are locked. */
  async #settle(batch: readonly Settlement[], again: boolean): Promise<ReadonlySet<string>> {
    const careful = performance.now() < this.#carefulUntil;
    if (!careful) {
      await settleDeliveries(this.#options.pool, batch, again ? 'again' : 'once');
      return NOBODY;
    }
    const written = new Set(await settleDeliveries(this.#options.pool, batch, 'careful'));
    const left = batch.filter(({ id }) => !written.has(id)).map(({ id }) => id);
    if (left.length === 0) return NOBODY;
    // A delivery that no longer exists counts as written.
    const text = 'select id from deliveries where id = any($1::uuid[])';
    const { rows } = await this.#options.pool.query<{ id: string }>({ name: 'which-are-locked', text, values: [left] });
    return new Set(rows.map(({ id }) => id));
  }

  #settled(batch: readonly Settlement[], locked: ReadonlySet<string>): void {
    this.#options.onSettled(locked.size === 0 ? batch : batch.filter(({ id }) => !locked.has(id)));
    for (const settlement of batch) {
      if (!locked.has(settlement.id)) continue;
      this.#locked.add(settlement);
      setTimeout(() => {
        this.#locked.delete(settlement);
        if (!this.#closed) this.add(settlement);
      }, LOCKED_AGAIN_MS);
    }
  }

  /** Takes the next batch, in the order of arrival. A second result of the same delivery waits for the next batch. */
  #takeBatch(): Settlement[] {
    const batch = new Map<string, Settlement>();
    const later: Settlement[] = [];
    for (const settlement of this.#queue) {
      if (batch.size >= MAX_BATCH || batch.has(settlement.id)) later.push(settlement);
      else batch.set(settlement.id, settlement);
    }
    this.#queue = later;
    return [...batch.values()];
  }
}

const NOBODY: ReadonlySet<string> = new Set();

/**
 * Returns whether Postgres would refuse the statement every time: wrong data, broken constraints, limits of a value (PostgreSQL
 * manual, Appendix A).
 */
function isRefusal(error: unknown): boolean {
  return /^(0A|21|22|23|42|54)\w{3}$/.test(String((error as { code?: unknown } | null)?.code));
}

/**
 * Writes results: new states, due times and attempts, in one statement.
 *
 * - State, due time and retry count change only under the lease of the result. A delivery whose lease ended belongs to another
 * worker by now. A success is the exception: what a receiver has accepted is delivered, whichever worker sent it.
 * - A delivery that was cancelled meanwhile stays cancelled, unless it was delivered after all.
 * - The attempt is recorded in every case, because the receiver saw it. It gets the next free number.
 */
const settle = (locked: string, condition: string) => `
  with results as (
    select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::float8[], $5::int[], $6::text[],
      $7::int[], $8::text[], $9::text[], $10::text[], $11::int[], $12::float8[])
      as r (id, lease, state, wait_ms, retry_count, trigger,
        status_code, response_body, error_code, error_message, duration_ms, started_at_ms)
  )${locked}, settled as (
    update deliveries d set
      status = case
        when r.state = 'delivered' then 'delivered'
        when r.state = 'handedBack' or d.leased_by is distinct from r.lease or d.status not in ('pending', 'retrying') then d.status
        else r.state end,
      due_at = case
        when r.state = 'retrying' and d.leased_by = r.lease then now() + r.wait_ms * interval '1 millisecond'
        else d.due_at end,
      retry_count = case when d.leased_by = r.lease then r.retry_count else d.retry_count end,
      next_trigger = case when d.leased_by = r.lease and r.state <> 'handedBack' then 'automatic' else d.next_trigger end,
      leased_by = case when d.leased_by = r.lease or r.state = 'delivered' then null else d.leased_by end,
      leased_until = case when d.leased_by = r.lease or r.state = 'delivered' then null else d.leased_until end,
      attempt_count = d.attempt_count + (r.started_at_ms is not null)::int,
      -- A delivery that is handed back without an attempt does not change.
      updated_at = case when r.state = 'handedBack' and r.started_at_ms is null then d.updated_at else now() end
    from results r
    where d.id = r.id${condition}
    returning d.id, d.attempt_count, r.trigger, r.status_code, r.response_body, r.error_code, r.error_message,
      r.duration_ms, r.started_at_ms
  ), recorded as (
    insert into attempts (delivery_id, number, trigger, status_code, response_body, error_code, error_message, duration_ms, started_at)
    select id, attempt_count, trigger, status_code, response_body, error_code, error_message, duration_ms,
      to_timestamp(started_at_ms / 1000)
    from settled where started_at_ms is not null
  )`;

/** For a repeated write whose first try may have succeeded: skips the results that are already recorded. */
const UNLESS_RECORDED = `
      and (r.started_at_ms is null or not exists (
        select from attempts a where a.delivery_id = d.id and a.started_at = to_timestamp(r.started_at_ms / 1000)
      ))`;

const STATEMENTS = {
  once: `${settle('', '')} select where false`,
  again: `${settle('', UNLESS_RECORDED)} select where false`,
  /** Skips locked rows, and returns the ids that it wrote or found written. */
  careful: `${settle(
    `, locked as materialized (
    select d.id from results r join deliveries d on d.id = r.id for no key update of d skip locked
  )`,
    `${UNLESS_RECORDED} and d.id in (select l.id from locked l)`,
  )} select id from locked`,
};

/**
 * @param batch at most one result for each delivery, ordered by delivery id. Rows are locked in that order, so two writers cannot
 * deadlock.
 */
async function settleDeliveries(
  pool: pg.Pool,
  batch: readonly Settlement[],
  manner: keyof typeof STATEMENTS,
): Promise<readonly string[]> {
  const allWell = batch.every(({ attempt }) => !attempt?.error);
  const { rows } = await pool.query<{ id: string }>({
    name: `settle-deliveries-${manner}`,
    text: STATEMENTS[manner],
    values: [
      plainArray(batch.map(({ id }) => id)),
      plainArray(batch.map(({ lease }) => lease)),
      plainArray(batch.map(({ state }) => state)),
      plainArray(batch.map(({ waitMs }) => waitMs)),
      plainArray(batch.map(({ retryCount }) => retryCount)),
      plainArray(batch.map(({ trigger }) => trigger)),
      plainArray(batch.map(({ attempt }) => attempt?.statusCode ?? null)),
      batch.map(({ attempt }) => attempt?.responseBody ?? null),
      // unnest fills missing elements with nulls, so when every attempt succeeded these two columns are not sent.
      allWell ? [] : batch.map(({ attempt }) => attempt?.error?.code ?? null),
      allWell ? [] : batch.map(({ attempt }) => attempt?.error?.message ?? null),
      plainArray(batch.map(({ attempt }) => attempt?.durationMs ?? null)),
      plainArray(batch.map(({ startedAtMs }) => startedAtMs)),
    ],
  });
  return rows.map(({ id }) => id);
}
