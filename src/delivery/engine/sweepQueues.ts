import type pg from 'pg';

/** Rows of one statement. */
const BATCH = 1_000;

/** Walks around the connections that have deliveries in one of the partial indexes, by one look into it for each. */
const walk = (condition: string) => `
  with recursive walk as (
    (select connection_id from deliveries where ${condition} order by connection_id limit 1)
    union all
    select n.connection_id from walk w cross join lateral (
      select connection_id from deliveries where ${condition} and connection_id > w.connection_id
      order by connection_id limit 1
    ) n
  )`;

const WAITING = "status in ('pending', 'retrying')";
const HELD = "status = 'held'";

/** Waiting, though the connection is not active: held. Though it is gone: cancelled. What is in flight is left alone. */
const SWEEP_WAITING = `${walk(WAITING)}, swept as materialized (
    select d.id, s.gone
    from (
      select w.connection_id, c.id is null as gone
      from walk w left join connections c on c.id = w.connection_id
      where c.id is null or c.status <> 'active'
      offset 0
    ) s
    cross join lateral (
      select id from deliveries q
      where q.connection_id = s.connection_id and q.${WAITING} and (q.leased_until is null or q.leased_until <= now())
      order by q.due_at limit ${BATCH} for update skip locked
    ) d
    limit ${BATCH}
  )
  update deliveries d
  set status = case when s.gone then 'cancelled' else 'held' end, leased_by = null, leased_until = null, updated_at = now()
  from swept s where d.id = s.id`;

/** Held for a connection that is gone: cancelled. */
const SWEEP_ORPHANS = `${walk(HELD)}, swept as materialized (
    select d.id
    from (
      select w.connection_id from walk w
      where not exists (select from connections c where c.id = w.connection_id)
      offset 0
    ) s
    cross join lateral (
      select id from deliveries q where q.connection_id = s.connection_id and q.${HELD}
      order by q.id limit ${BATCH} for update skip locked
    ) d
    limit ${BATCH}
  )
  update deliveries d set status = 'cancelled', updated_at = now() from swept s where d.id = s.id`;

/** Held for a connection that is active. */
const FIND_RELEASABLE = `${walk(HELD)}
  select w.connection_id from walk w join connections c on c.id = w.connection_id where c.status = 'active'`;

/**
 * Brings the queues into line with their connections, in bounded batches.
 * @returns `more`: there may be more to do at once; `releasable`: connections whose held deliveries are to be released.
 */
export async function sweepQueues(pool: pg.Pool): Promise<{ readonly more: boolean; readonly releasable: readonly number[] }> {
  const waiting = await pool.query({ name: 'sweep-waiting', text: SWEEP_WAITING });
  const orphans = await pool.query({ name: 'sweep-orphans', text: SWEEP_ORPHANS });
  const releasable = await pool.query<{ connection_id: string }>({ name: 'find-releasable', text: FIND_RELEASABLE });
  return {
    more: waiting.rowCount === BATCH || orphans.rowCount === BATCH,
    releasable: releasable.rows.map((row) => Number(row.connection_id)),
  };
}
