import { sql } from 'kysely';
import type { EntityManager } from '../../database/Database.js';

/**
 * Holds what waits for a connection that is no longer active, in the transaction that changes its status or later.
 * Returns how many. At most `limit`: the engine holds the rest in the background, and claims none of it meanwhile.
 * What is in flight is left to its worker.
 */
export async function holdDeliveries(em: EntityManager, connectionId: number, limit = 5_000): Promise<number> {
  const { numAffectedRows } = await sql`
    with waiting as (
      select id from deliveries
      where connection_id = ${connectionId} and status in ('pending', 'retrying') and (leased_until is null or leased_until <= now())
      limit ${limit}
    ), locked as (
      select id from deliveries where id in (select id from waiting) order by id for update
    )
    update deliveries d set status = 'held', leased_by = null, leased_until = null, updated_at = now()
    from locked
    where d.id = locked.id and d.status in ('pending', 'retrying') and (d.leased_until is null or d.leased_until <= now())`.execute(
    em.getKysely(),
  );
  return Number(numAffectedRows ?? 0);
}
