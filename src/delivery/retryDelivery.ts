import { sql } from 'kysely';
import { recordAudit } from '../database/auditLog.js';
import type { Database, EntityManager } from '../database/Database.js';
import { type Caller, onlyConnection, reachableRows } from '../domain/Caller.js';
import { Connection } from '../domain/Connection.js';
import { Delivery } from '../domain/Delivery.js';
import { Event } from '../domain/Event.js';
import { InputError } from '../domain/errors.js';
import { isUuid } from '../domain/ids.js';
import { Subscription } from '../domain/Subscription.js';
import type { DeliverySignal } from './DeliverySignal.js';

interface Dependencies {
  readonly database: Database;
  readonly deliverySignal: DeliverySignal;
}

/**
 * Retries a delivery now, by hand: one that failed, expired, was cancelled, waits for its next retry, or was already delivered
 * (the receiver may have lost it). The attempt is recorded as `manual` and replaces the pending automatic one. If it fails, that
 * automatic retry follows after its usual delay. An expired or cancelled delivery gets all its retries back, and its age starts
 * again.
 *
 * The delivery goes ahead of its connection's queue. It bypasses an open circuit breaker and becomes its next probe. Throws an
 * InputError: NOT_FOUND, or CONFLICT while the delivery is in flight, is held, waits behind another one of its ordering key, or
 * has no connection any more.
 */
export async function retryDelivery(
  { database, deliverySignal }: Dependencies,
  caller: Caller,
  input: { readonly deliveryId: string },
): Promise<Delivery> {
  const id = input.deliveryId;
  const delivery = await database.transaction(async (em) => {
    const ready = isUuid(id) && (await makeDue(em, caller, id));
    const found = isUuid(id) ? await em.findOne(Delivery, { id, ...reachableRows(caller) }) : null;
    if (!found) throw InputError.of('NOT_FOUND', 'There is no such delivery.', 'deliveryId');
    if (!ready) throw InputError.of('CONFLICT', await whyNotRetried(em, found), 'deliveryId');
    await recordAudit(em, caller, { action: 'delivery_retried', subject: ['delivery', id] });
    return found;
  });
  deliverySignal.notify();
  return delivery;
}

/**
 * Makes the delivery due. One statement, so a worker that claims the delivery at the same moment either sees the change or causes
 * a conflict.
 */
async function makeDue(em: EntityManager, caller: Caller, id: string): Promise<boolean> {
  const { rows } = await sql<{ connection_id: string }>`
    update deliveries d
    set status = case when d.status in ('pending', 'retrying') then d.status else 'pending' end,
      -- A delivery that ended before its retries were used up gets all of them again.
      retry_count = case when d.status in ('expired', 'cancelled') then 0 else d.retry_count end,
      next_trigger = 'manual', leased_by = null, leased_until = null, updated_at = now(), retried_at = now(),
      due_at = least(now(), (
        select q.due_at - interval '1 millisecond' from deliveries q
        where q.connection_id = d.connection_id and q.status in ('pending', 'retrying')
          and q.due_at >= coalesce((select due_from from delivery_queues k where k.connection_id = d.connection_id), '-infinity')
        order by q.due_at limit 1
      ))
    from events e, subscriptions s, connections c
    where d.id = ${id} and d.organization_id = ${caller.organizationId}
      and (${onlyConnection(caller)}::bigint is null or d.connection_id = ${onlyConnection(caller)}::bigint)
      and d.status in ('pending', 'retrying', 'failed', 'delivered', 'cancelled', 'expired')
      -- A delivery that waits behind another one of its ordering key keeps its position.
      and (d.due_at < 'infinity' or d.status not in ('pending', 'retrying'))
      and (d.leased_until is null or d.leased_until <= now())
      and e.id = d.event_id and not e.is_test and e.erased_at is null
      and s.id = d.subscription_id
      and c.id = d.connection_id and c.status = 'active'
    returning d.connection_id`.execute(em.getKysely());
  const connectionId = rows[0]?.connection_id;
  if (connectionId === undefined) return false;
  await sql`
    with opened as (
      update connection_health set paused_until = now() where connection_id = ${connectionId} and paused_until > now()
    )
    update delivery_queues set ready_at = now(), gated_until = null where connection_id = ${connectionId}`.execute(
    em.getKysely(),
  );
  return true;
}

/** Returns the reason why a delivery cannot be retried now, as a sentence. */
async function whyNotRetried(em: EntityManager, delivery: Delivery): Promise<string> {
  if (delivery.status === 'held') return 'It is held until its connection is active again, and is sent then.';
  const connection = await em.findOne(Connection, { id: delivery.connectionId });
  if (!connection) return 'Its connection was deleted.';
  if (connection.status !== 'active') return 'Its connection is not active: see its statusReason.';
  if ((await em.count(Subscription, { id: delivery.subscriptionId })) === 0) return 'Its subscription was deleted.';
  const event = await em.findOne(Event, { id: delivery.eventId }, { fields: ['isTest', 'erasedAt'] });
  if (event?.erasedAt) return 'The data of its event was erased.';
  if (event?.isTest) return 'It was a test: broadcast another one instead.';
  if (delivery.orderingKey && !delivery.leasedUntil) return 'An earlier event of its ordering key goes first.';
  return 'An attempt is being made right now.';
}
