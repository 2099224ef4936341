import type pg from 'pg';
import type { Database } from '../../database/Database.js';
import { SWEEP_BATCH, takeDeliveryStep } from '../queue/tasks.js';
import { InterruptibleSleep } from './InterruptibleSleep.js';

export interface SweeperOptions {
  readonly database: Database;
  readonly pool: pg.Pool;
  readonly sweepMs: number;
  /** Called after each round. `changed`: something may be due that was not before. */
  readonly onSwept: (changed: boolean) => void;
  readonly onTrouble: (error: unknown) => void;
  /** Called with the number of queues that had waiting deliveries although their row said nothing. */
  readonly onForgotten: (count: number) => void;
}

/** Maximum queues of one round. */
const QUEUES = 100;

/** Number of connections whose queue row each round checks. */
const AUDITED = 200;

/**
 * Holds, releases and cancels deliveries as the status of their connections requires, takes the next steps of tasks, and checks a
 * few connections at a time for forgotten queues. Every step is bounded. Whichever worker comes first takes it.
 */
export class Sweeper {
  readonly #options: SweeperOptions;
  readonly #sleep = new InterruptibleSleep();
  #auditedUpTo = 0;
  #auditedHeldUpTo = 0;
  #auditedKeysUpTo: { readonly connectionId: string; readonly key: string } = FIRST_KEY;
  #running: Promise<void> | undefined;
  #stopping = false;

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Call it when a connection's status has changed. */
  wake(): void {
    this.#sleep.wake();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#sleep.wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { sweepMs, onSwept, onTrouble } = this.#options;
    let auditedAt = 0;
    while (!this.#stopping) {
      let more = false;
      try {
        const swept = await this.#sweep();
        const stepped = await this.#takeSteps();
        more = swept.more || stepped;
        let found = 0;
        if (performance.now() - auditedAt >= sweepMs) {
          auditedAt = performance.now();
          found = await this.#audit();
        }
        onSwept(swept.changed || stepped || found > 0);
      } catch (error) {
        onTrouble(error);
      }
      // A random spread keeps processes that started together from sweeping together.
      if (!more && !this.#stopping) await this.#sleep.for(sweepMs * (0.8 + 0.4 * Math.random()));
    }
  }

  async #sweep(): Promise<{ changed: boolean; more: boolean }> {
    const { pool } = this.#options;
    const { rows } = await pool.query<{ connection_id: string }>({
      name: 'find-queues-to-sweep',
      // Locked rows are skipped, because they would stay in front of all others.
      text: `
        select connection_id from delivery_queues where sweep_at <= now() and sweep_at < 'infinity'
        order by sweep_at limit ${QUEUES} for no key update skip locked`,
    });
    let changed = false;
    let more = false;
    for (const { connection_id: id } of rows) {
      if (this.#stopping) break;
      const swept = await this.#sweepOne(id);
      changed ||= swept.changed;
      more ||= swept.more;
    }
    return { changed, more: more || (changed && rows.length === QUEUES) };
  }

  /** Sweeps one queue. A queue that cannot be swept now goes to the end, so that the others do not wait. */
  async #sweepOne(id: string): Promise<{ changed: boolean; more: boolean }> {
    const { pool, onTrouble } = this.#options;
    try {
      const { rows } = await pool.query<{ changed: number | null; more: boolean | null }>({
        name: 'sweep-queue',
        text: `select changed, more from sweep_queue($1, ${SWEEP_BATCH})`,
        values: [id],
      });
      return { changed: (rows[0]?.changed ?? 0) > 0, more: rows[0]?.more === true };
    } catch (error) {
      onTrouble(error);
      await pool.query({
        name: 'sweep-later',
        text: `update delivery_queues set sweep_at = now() + interval '5 seconds' where connection_id = $1 and sweep_at <= now()`,
        values: [id],
      });
      return { changed: false, more: false };
    }
  }

  /** @returns true when a step was taken, so there may be another. */
  async #takeSteps(): Promise<boolean> {
    const { database, onTrouble } = this.#options;
    if (this.#stopping) return false;
    try {
      return await takeDeliveryStep(database);
    } catch (error) {
      onTrouble(error);
      return false;
    }
  }

  /**
   * Finds waiting deliveries that no queue row announces, because of a crash, an older process or a hand-written statement. One
   * lap covers all connections with waiting deliveries. Does the same for ordering keys whose first delivery is not due.
   */
  async #audit(): Promise<number> {
    const { pool, onForgotten } = this.#options;
    const { rows } = await pool.query<{ last: string | null; forgotten: number }>({
      name: 'audit-queues',
      text: AUDIT,
      values: [this.#auditedUpTo],
    });
    this.#auditedUpTo = Number(rows[0]?.last ?? 0);
    const held = await pool.query<{ last: string | null; forgotten: number }>({
      name: 'audit-held',
      text: AUDIT_HELD,
      values: [this.#auditedHeldUpTo],
    });
    this.#auditedHeldUpTo = Number(held.rows[0]?.last ?? 0);
    const forgotten = (rows[0]?.forgotten ?? 0) + (held.rows[0]?.forgotten ?? 0);
    if (forgotten > 0) onForgotten(forgotten);
    return forgotten + (await this.#auditKeys());
  }

  async #auditKeys(): Promise<number> {
    const { connectionId, key } = this.#auditedKeysUpTo;
    const { rows } = await this.#options.pool.query<{ last_id: string | null; last_key: string | null; advanced: number | null }>(
      {
        name: 'audit-keys',
        text: AUDIT_KEYS,
        values: [connectionId, key],
      },
    );
    const { last_id, last_key, advanced } = rows[0] ?? {};
    this.#auditedKeysUpTo =
      last_id && last_key !== null && last_key !== undefined ? { connectionId: last_id, key: last_key } : FIRST_KEY;
    return advanced ?? 0;
  }
}

/** Walks from one connection with waiting deliveries to the next, with one index look-up for each. */
const walk = (condition: string) => `
    (select connection_id, 1 as place from deliveries where ${condition} and connection_id > $1 order by connection_id limit 1)
    union all
    select n.connection_id, w.place + 1 from walk w cross join lateral (
      select connection_id from deliveries where ${condition} and connection_id > w.connection_id order by connection_id limit 1
    ) n where w.place < ${AUDITED}`;

const AUDIT = `
  with recursive walk as (${walk("status in ('pending', 'retrying')")}
  ), first as (
    select w.connection_id, d.due_at from walk w cross join lateral (
      select least(k.due_at, k.leased_until) as due_at from (
        select due_at, leased_until from deliveries
        where connection_id = w.connection_id and status in ('pending', 'retrying') and due_at < 'infinity'
          and due_at >= coalesce((select q.due_from from delivery_queues q where q.connection_id = w.connection_id), '-infinity')
        order by due_at limit 1
      ) k
    ) d
  ), forgotten as (
    select f.connection_id, f.due_at from first f left join delivery_queues q on q.connection_id = f.connection_id
    where q.ready_at is null and (q.sweep_at is null or q.sweep_at = 'infinity')
  )
  select
    (select case when count(*) = ${AUDITED} then max(connection_id) end from walk) as last,
    (select count(*)::int from forgotten) as forgotten,
    (select note_waiting(array_agg(connection_id), array_agg(due_at), null) from forgotten having count(*) > 0)`;

const FIRST_KEY = { connectionId: '0', key: '' };

const UNFINISHED = "ordering_key is not null and status in ('pending', 'retrying', 'held')";

/** Finds the first unfinished delivery of each ordering key, with one index look-up for each. */
const AUDIT_KEYS = `
  with recursive walk as (
    (select connection_id, ordering_key, due_at, status, 1 as place from deliveries
      where ${UNFINISHED} and (connection_id, ordering_key) > ($1::bigint, $2::text)
      order by connection_id, ordering_key, ordering_position limit 1)
    union all
    select n.connection_id, n.ordering_key, n.due_at, n.status, w.place + 1 from walk w cross join lateral (
      select connection_id, ordering_key, due_at, status from deliveries
      where ${UNFINISHED} and (connection_id, ordering_key) > (w.connection_id, w.ordering_key)
      order by connection_id, ordering_key, ordering_position limit 1
    ) n where w.place < ${AUDITED}
  ), stuck as (
    select connection_id, ordering_key from walk where due_at = 'infinity' and status <> 'held'
  )
  select
    (select connection_id from walk where place = ${AUDITED}) as last_id,
    (select ordering_key from walk where place = ${AUDITED}) as last_key,
    (select advanced from try_advance_ordering(
      (select array_agg(connection_id) from stuck), (select array_agg(ordering_key) from stuck))) as advanced`;

const AUDIT_HELD = `
  with recursive walk as (${walk("status = 'held'")}
  ), forgotten as (
    select w.connection_id from walk w left join delivery_queues q on q.connection_id = w.connection_id where q.sweep_at is null
  )
  select
    (select case when count(*) = ${AUDITED} then max(connection_id) end from walk) as last,
    (select count(*)::int from forgotten) as forgotten,
    (select note_waiting(null, null, array_agg(connection_id)) from forgotten having count(*) > 0)`;
