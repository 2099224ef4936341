import { sql } from 'kysely';
import type { EntityManager } from '../../database/Database.js';

/**
 * Cancels what was not delivered to a connection, in the transaction that deletes it. Returns how many.
 *
 * At most `limit`, so that deleting answers soon however long the queue is: once the connection is gone, the engine
 * cancels the rest in the background, and none of it is claimed any more.
 * What is in flight is cancelled too; its worker keeps the lease, and if the answer is a success after all, says so.
 */
export async function cancelForConnection(em: EntityManager, connectionId: number, limit = 5_000): Promise<number> {
  const { numAffectedRows } = await sql`
    with waiting as (
      (select id from deliveries where connection_id = ${connectionId} and status in ('pending', 'retrying') limit ${limit})
      union all
      (select id from deliveries where connection_id = ${connectionId} and status = 'held' limit ${limit})
    ), locked as (
      select id from deliveries where id in (select id from waiting) order by id for update
    )
    update deliveries d set status = 'cancelled', updated_at = now()
    from locked where d.id = locked.id and d.status in ('pending', 'retrying', 'held')`.execute(em.getKysely());
  return Number(numAffectedRows ?? 0);
}
