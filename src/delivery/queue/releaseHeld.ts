import { sql } from 'kysely';
import type { EntityManager } from '../../database/Database.js';

export interface ReleaseOptions {
  /** Deliveries per second, for what waited must not fall on the destination all at once. */
  readonly perSecond?: number;
}

export const RELEASE_PER_SECOND = 200;

/** How far ahead, in seconds, deliveries are released at a time. */
const AHEAD_SECONDS = 5;

/**
 * Puts held deliveries of a connection that is active again back into the queue: in their order, due one after another
 * at `perSecond`. Returns how many.
 *
 * In the transaction that makes the connection active, it releases what falls due in the next seconds. The engine calls
 * it again until nothing is held, and thereby also finds what a concurrent publish still held. `released_until` in
 * `connection_health` keeps the pace among all callers: each goes on where the one before it ended, and one that comes
 * too early releases nothing.
 */
export async function releaseHeld(
  em: EntityManager,
  connectionId: number,
  { perSecond = RELEASE_PER_SECOND }: ReleaseOptions = {},
): Promise<number> {
  const batch = Math.max(1, Math.ceil(perSecond * AHEAD_SECONDS));
  const step = sql`interval '1 second' / ${perSecond}::float8`;
  const { numAffectedRows } = await sql`
    with locked as (
      select d.id, row_number() over (order by d.id) - 1 as position
      from (
        select id from deliveries where connection_id = ${connectionId} and status = 'held'
        order by id limit ${batch} for update skip locked
      ) d
    ), pace as (
      insert into connection_health as h (connection_id, released_until)
      select c.id, now() + n.count * ${step} from connections c, (select count(*) from locked) n
      where c.id = ${connectionId} and c.status = 'active' and n.count > 0
      on conflict (connection_id) do update
        set released_until = greatest(h.released_until, now()) + (excluded.released_until - now())
        where h.released_until is null or h.released_until <= now() + ${AHEAD_SECONDS / 2} * interval '1 second'
      returning released_until - (select count(*) from locked) * ${step} as begins_at
    )
    update deliveries d
    set status = case when d.attempt_count > 0 then 'retrying' else 'pending' end,
      due_at = pace.begins_at + locked.position * ${step}, updated_at = now()
    from locked, pace
    where d.id = locked.id`.execute(em.getKysely());
  return Number(numAffectedRows ?? 0);
}
