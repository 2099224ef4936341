import { sql } from 'kysely';
import type { EntityManager } from '../../database/Database.js';

export interface PublishedEvents {
  readonly organizationId: number;
  /** In the order in which they were published. */
  readonly events: readonly { readonly id: string; readonly eventType: string }[];
}

/**
 * Adds one delivery for each event and active subscription to its type, in the publishing transaction. HELD where the
 * connection is not active. Returns how many.
 *
 * One statement, so a subscription counts as it is at this moment; one that is deleted a moment later has its deliveries
 * cancelled when they are claimed, without a lock here that all publishers would queue for.
 *
 * A delivery's id is its event's (UUID version 7, RFC 9562) with the last 40 bits, which are random, drawn anew: ids
 * are in the order of publishing, which lists and the release of held deliveries rely on. What comes before those bits is
 * the event's time and its number within the millisecond.
 */
export async function insertDeliveries(em: EntityManager, { organizationId, events }: PublishedEvents): Promise<number> {
  const { numAffectedRows } = await sql`
    insert into deliveries (id, organization_id, event_id, subscription_id, connection_id, event_type, status)
    select
      encode(overlay(uuid_send(e.id) placing substring(uuid_send(gen_random_uuid()) from 12) from 12), 'hex')::uuid,
      s.organization_id, e.id, s.id, s.connection_id, s.event_type,
      case when c.status = 'active' then 'pending' else 'held' end
    from unnest(${events.map(({ id }) => id)}::uuid[], ${events.map(({ eventType }) => eventType)}::text[])
      with ordinality as e (id, event_type, position)
    join subscriptions s on s.organization_id = ${organizationId} and s.event_type = e.event_type and s.is_active
    join connections c on c.id = s.connection_id
    order by e.position, s.id`.execute(em.getKysely());
  return Number(numAffectedRows ?? 0);
}
