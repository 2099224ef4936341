import { sql } from 'kysely';
import type { Database, EntityManager } from '../../database/Database.js';
import { continueReplay, type Replay } from '../replayDeliveries.js';
import { continueCancelling } from './cancelForSubscription.js';
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
  /** Where the next step goes on; null: the task is done. */
  readonly place: string | null;
  readonly count: number;
  /** True when the same step has to be taken again, a moment later. */
  readonly again?: boolean;
}

/** Of each organization, the first fan-out of ordering keys: the others wait for it, so that none overtakes another. */
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

/** A step that fails is taken again after so many seconds, twice as long each time, and keeps no other task waiting. */
const LONGEST_PAUSE_SECONDS = 300;

/**
 * Takes the next step of whichever task is first, in one transaction: a crash between two steps loses nothing, and two
 * workers never take the same. False when no task is due.
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

/** Forgets tasks that were done longer ago than so many milliseconds. Returns how many. */
export async function forgetTasks({ database }: { database: Database }, olderThanMs: number): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from delivery_tasks where status <> 'running' and finished_at < now() - interval '1 millisecond' * (
      case when kind = 'replay' then ${olderThanMs}::float8 else least(${olderThanMs}::float8, ${DAY_MS}::float8) end)`.execute(
    database.sql(),
  );
  return Number(numAffectedRows ?? 0);
}

/** Nobody asks how a cancellation or a fan-out went. */
const DAY_MS = 86_400_000;
