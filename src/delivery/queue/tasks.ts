import { sql } from 'kysely';
import type { Database, EntityManager } from '../../database/Database.js';
import { newId } from '../../database/newId.js';
import { idRange } from '../../database/paginate.js';
import { DAY_MS } from '../../domain/duration.js';
import { continueReplay } from '../replayDeliveries.js';
import type { Replay } from '../replays.js';
import { continueFanOut, type FanOut } from './insertDeliveries.js';

interface TaskRow {
  readonly id: string;
  readonly organization_id: string;
  readonly kind: 'cancel' | 'replay' | 'fan_out';
  readonly connection_id: string | null;
  readonly input: unknown;
  readonly place: string | null;
}

interface Step {
  /** Where the next step continues; null when the task is done. */
  readonly place: string | null;
  readonly count: number;
  /** True when the same step must be repeated a moment later. */
  readonly again?: boolean;
}

/** Selects only the first fan-out with ordering keys of each organization. The others wait, so that none overtakes another. */
const LET_FIRST_GO = sql`
  with recursive heads as (
    (select id, organization_id, run_at from delivery_tasks where status = 'running' and is_ordered
      order by organization_id, place_in_line limit 1)
    union all
    select n.* from heads h cross join lateral (
      select id, organization_id, run_at from delivery_tasks
      where status = 'running' and is_ordered and organization_id > h.organization_id
      order by organization_id, place_in_line limit 1
    ) n
  )
  update delivery_tasks t set run_at = now() from heads h where t.id = h.id and h.run_at = 'infinity' and t.run_at = 'infinity'`;

/** Maximum pause after a failed step. The pause doubles with each failure. Other tasks go on meanwhile. */
const LONGEST_PAUSE_SECONDS = 300;

/**
 * Takes the next step of the first due task, in one transaction. A crash between two steps loses nothing, and two workers never
 * take the same step. Returns false when no task is due.
 */
export async function takeDeliveryStep(database: Database): Promise<boolean> {
  await LET_FIRST_GO.execute(database.sql());
  const { rows: due } = await sql`
    select from delivery_tasks where status = 'running' and run_at <= now() limit 1`.execute(database.sql());
  if (due.length === 0) return false;
  let id: string | undefined;
  try {
    return await takeStep(database, (task) => {
      id = task;
    });
  } catch (error) {
    if (id !== undefined) await postpone(database, id);
    throw error;
  }
}

function takeStep(database: Database, onTaken: (id: string) => void): Promise<boolean> {
  return database.transaction(async (em) => {
    const { rows } = await sql<TaskRow>`
      select id, organization_id, kind, connection_id, input, place from delivery_tasks
      where status = 'running' and run_at <= now() order by run_at limit 1 for update skip locked`.execute(em.getKysely());
    const [task] = rows;
    if (!task) return false;
    onTaken(task.id);
    const { place, count, again = false } = await take(em, task);
    await sql`
      update delivery_tasks set place = ${place}, done_count = done_count + ${count}, failures = 0, run_at = clock_timestamp() + ${again ? 500 : 0} * interval '1 millisecond',
        status = ${place === null ? 'completed' : 'running'}, finished_at = case when ${place === null} then now() end
      where id = ${task.id}`.execute(em.getKysely());
    return true;
  });
}

async function postpone(database: Database, id: string): Promise<void> {
  await sql`
    update delivery_tasks set failures = failures + 1,
      run_at = now() + least(${LONGEST_PAUSE_SECONDS}::float8, power(2, least(failures, 20))) * interval '1 second'
    where id = ${id} and status = 'running'`.execute(database.sql());
}

async function take(em: EntityManager, { kind, organization_id, connection_id, input, place }: TaskRow): Promise<Step> {
  switch (kind) {
    case 'cancel':
      return continueCancelling(em, (input as { subscriptionId: number }).subscriptionId, place);
    case 'fan_out': {
      const before = Number(place ?? 0);
      const after = await continueFanOut(em, Number(organization_id), input as FanOut, before);
      return { place: after.more ? String(after.place) : null, count: after.place - before };
    }
    case 'replay':
      return continueReplay(em, Number(organization_id), Number(connection_id), input as Replay, place);
  }
}

/**
 * Deletes replays that finished more than `olderThanMs` milliseconds ago, and other finished tasks after a day at most, because
 * the API does not show their progress. Returns how many were deleted.
 */
export async function forgetTasks({ database }: { database: Database }, olderThanMs: number): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from delivery_tasks where status <> 'running' and finished_at < now() - interval '1 millisecond' * (
      case when kind = 'replay' then ${olderThanMs}::float8 else least(${olderThanMs}::float8, ${DAY_MS}::float8) end)`.execute(
    database.sql(),
  );
  return Number(numAffectedRows ?? 0);
}

/** Deliveries of a subscription that one step examines, whatever their status. */
const CANCEL_STEP = 5_000;

/** Sorts before every id. */
const NIL = '00000000-0000-0000-0000-000000000000';

/** Number of the newest deliveries that are cancelled in the transaction that deletes the subscription. */
const AT_ONCE = 1_000;

/**
 * Cancels a subscription's undelivered deliveries, in the transaction that deletes the subscription: the newest at once, the rest
 * later in steps. Returns how many were cancelled at once.
 *
 * Deliveries in flight are cancelled too. Their worker keeps the lease, and records a success if the receiver accepts after all.
 * Deliveries that a concurrent publish adds are cancelled when they are claimed.
 */
export async function cancelForSubscription(em: EntityManager, subscriptionId: number): Promise<number> {
  const { rows } = await sql<{ looked: number; cancelled: number; organization_id: string } & CancelledKeys>`
    with newest as materialized (
      select id from deliveries where subscription_id = ${subscriptionId} order by id desc limit ${AT_ONCE + 1}
    ), ${cancelWithin(sql`select id from newest`)}
    select (select count(*)::int from newest) as looked, (select count(*)::int from cancelled) as cancelled, ${CANCELLED_KEYS},
      s.organization_id
    from subscriptions s where s.id = ${subscriptionId}`.execute(em.getKysely());
  const [row] = rows;
  if (!row) return 0;
  await advanceOrdering(em, row);
  // Queues the task even if nothing was found, because rows that are locked now (a worker is writing their results) are skipped
  // above.
  await sql`
    insert into delivery_tasks (id, organization_id, kind, input, run_at)
    values (${newId()}, ${row.organization_id}::bigint, 'cancel', ${JSON.stringify({ subscriptionId })}::jsonb,
      now() + ${row.looked > AT_ONCE ? 0 : 1} * interval '1 second')`.execute(em.getKysely());
  return row.cancelled;
}

/**
 * Takes the next step of a cancellation.
 * @param place the id of the last delivery of the previous step.
 * @returns the id of the last delivery of this step; the same id again when one of them is locked; null when there are no more.
 */
async function continueCancelling(
  em: EntityManager,
  subscriptionId: number,
  place: string | null,
): Promise<{ place: string | null; count: number; again: boolean }> {
  const { rows } = await sql<{ looked: number; waiting: number; last: string | null; cancelled: number } & CancelledKeys>`
    with next as materialized (
      select id, status in ('pending', 'retrying', 'held') as waits from deliveries
      where subscription_id = ${subscriptionId} and id > ${place ?? NIL}::uuid
      order by id limit ${CANCEL_STEP}
    ), ${cancelWithin(sql`select id from next`)}
    select (select count(*)::int from next) as looked, (select count(*)::int from next where waits) as waiting,
      (select id from next order by id desc limit 1) as last,
      (select count(*)::int from cancelled) as cancelled, ${CANCELLED_KEYS}`.execute(em.getKysely());
  if (rows[0]) await advanceOrdering(em, rows[0]);
  const { looked = 0, waiting = 0, last = null, cancelled = 0 } = rows[0] ?? {};
  if (cancelled < waiting) return { place: place ?? NIL, count: cancelled, again: true };
  return { place: looked === CANCEL_STEP ? last : null, count: cancelled, again: false };
}

const cancelWithin = (ids: ReturnType<typeof sql>) => sql`locked as (
      select id from deliveries where id in (${ids}) and status in ('pending', 'retrying', 'held') for update skip locked
    ), cancelled as (
      update deliveries d set status = 'cancelled', updated_at = now() from locked l where d.id = l.id
      returning d.connection_id, d.ordering_key
    )`;

interface CancelledKeys {
  readonly connection_ids: string[] | null;
  readonly ordering_keys: string[] | null;
}

const CANCELLED_KEYS = sql`
      (select array_agg(connection_id) from cancelled where ordering_key is not null) as connection_ids,
      (select array_agg(ordering_key) from cancelled where ordering_key is not null) as ordering_keys`;

/** Makes the next delivery of each cancelled ordering key due. It may belong to another subscription. */
async function advanceOrdering(em: EntityManager, { connection_ids, ordering_keys }: CancelledKeys): Promise<void> {
  if (connection_ids === null) return;
  await sql`select try_advance_ordering(${connection_ids}::bigint[], ${ordering_keys}::text[])`.execute(em.getKysely());
}

/** Rows of one step, few enough that its locks last only briefly. */
export const SWEEP_BATCH = 1_000;

/**
 * Holds, releases or cancels the first deliveries of a queue as its connection requires, in the transaction that changes or
 * deletes the connection (migration 0008). Returns how many. The engine does the rest in the background and claims none of them
 * meanwhile. Deliveries in flight are left to their worker.
 */
export async function sweepQueue(em: EntityManager, connectionId: number, batch = SWEEP_BATCH): Promise<number> {
  const { rows } = await sql<{ changed: number | null }>`select changed from sweep_queue(${connectionId}, ${batch})`.execute(
    em.getKysely(),
  );
  return rows[0]?.changed ?? 0;
}

/** Number of deliveries that one step expires. */
const EXPIRE_STEP = 1_000;

/**
 * Sets HELD deliveries to EXPIRED when they were created, or retried by hand, more than `olderThanMs` milliseconds ago. Works
 * connection by connection, in small steps, and stops between two steps when `stopping` is aborted. Due deliveries that are too
 * old expire when they are claimed. Returns how many.
 */
export async function expireHeld(
  { database }: { database: Database },
  olderThanMs: number,
  stopping: AbortSignal = new AbortController().signal,
): Promise<number> {
  const db = database.sql();
  const { rows: now } = await sql<{ ms: number }>`select date_part('epoch', now()) * 1000 as ms`.execute(db);
  const { to } = idRange(null, new Date((now[0]?.ms ?? 0) - olderThanMs));
  let count = 0;
  let connectionId = '0';
  while (!stopping.aborted) {
    const { rows: next } = await sql<{ connection_id: string }>`
      select connection_id from deliveries where status = 'held' and connection_id > ${connectionId}::bigint
      order by connection_id limit 1`.execute(db);
    if (!next[0]) break;
    connectionId = next[0].connection_id;
    for (let expired = EXPIRE_STEP; expired === EXPIRE_STEP && !stopping.aborted; count += expired) {
      const { numAffectedRows } = await sql`
        update deliveries d set status = 'expired', updated_at = now()
        from (
          select id from deliveries
          where connection_id = ${connectionId}::bigint and status = 'held' and id < ${to}::uuid
            and coalesce(retried_at, created_at) < now() - ${olderThanMs} * interval '1 millisecond'
          order by id limit ${EXPIRE_STEP} for update skip locked
        ) old where d.id = old.id`.execute(db);
      expired = Number(numAffectedRows ?? 0);
    }
  }
  return count;
}
