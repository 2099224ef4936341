import { sql } from 'kysely';
import type { EntityManager } from '../../database/Database.js';

/**
 * Cancels what was not delivered for a subscription, in the transaction that deletes it. Returns how many.
 *
 * What is in flight is cancelled too; its worker keeps the lease, and if the answer is a success after all, says so.
 * What a concurrent publish adds meanwhile is cancelled when it is claimed.
 * A subscription may have been moved between connections, so all of the organization's queues are looked through.
 * Rows are locked in the order of their ids, as everywhere, so that no two statements wait for each other.
 */
export async function cancelForSubscription(em: EntityManager, subscriptionId: number): Promise<number> {
  const { numAffectedRows } = await sql`
    with queues as (
      select c.id from connections c join subscriptions s on s.organization_id = c.organization_id where s.id = ${subscriptionId}
    ), waiting as (
      select d.id from queues q join deliveries d on d.connection_id = q.id
      where d.status in ('pending', 'retrying') and d.subscription_id = ${subscriptionId}
      union all
      select d.id from queues q join deliveries d on d.connection_id = q.id
      where d.status = 'held' and d.subscription_id = ${subscriptionId}
    ), locked as (
      select id from deliveries where id in (select id from waiting) order by id for update
    )
    update deliveries d set status = 'cancelled', updated_at = now()
    from locked where d.id = locked.id and d.status in ('pending', 'retrying', 'held')`.execute(em.getKysely());
  return Number(numAffectedRows ?? 0);
}
