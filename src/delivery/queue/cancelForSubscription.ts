import { sql } from 'kysely';
import type { EntityManager } from '../../database/Database.js';
import { newId } from '../../database/newId.js';

/** Deliveries of a subscription that one step looks at, whatever became of them. */
const STEP = 5_000;

/** Before every id. */
const NIL = '00000000-0000-0000-0000-000000000000';

/** Of these, the newest are looked at when the subscription is deleted. */
const AT_ONCE = 1_000;

/**
 * Cancels what was not delivered for a subscription, in the transaction that deletes it: the newest at once, the rest in
 * steps behind it. Returns how many so far.
 *
 * What is in flight is cancelled too; its worker keeps the lease, and if the answer is a success after all, says so.
 * What a concurrent publish adds meanwhile is cancelled when it is claimed.
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
  // Also for what somebody holds locked at this moment: its result is just being written.
  await sql`
    insert into delivery_tasks (id, organization_id, kind, input, run_at)
    values (${newId()}, ${row.organization_id}::bigint, 'cancel', ${JSON.stringify({ subscriptionId })}::jsonb,
      now() + ${row.looked > AT_ONCE ? 0 : 1} * interval '1 second')`.execute(em.getKysely());
  return row.cancelled;
}

/**
 * Looks at the next deliveries of a deleted subscription.
 * @param place the id of the last one looked at before.
 * @returns the id of the last one looked at now; the same again when somebody holds one of them locked; null when there are no
 *   more.
 */
export async function continueCancelling(
  em: EntityManager,
  subscriptionId: number,
  place: string | null,
): Promise<{ place: string | null; count: number; again: boolean }> {
  const { rows } = await sql<{ looked: number; waiting: number; last: string | null; cancelled: number } & CancelledKeys>`
    with next as materialized (
      select id, status in ('pending', 'retrying', 'held') as waits from deliveries
      where subscription_id = ${subscriptionId} and id > ${place ?? NIL}::uuid
      order by id limit ${STEP}
    ), ${cancelWithin(sql`select id from next`)}
    select (select count(*)::int from next) as looked, (select count(*)::int from next where waits) as waiting,
      (select id from next order by id desc limit 1) as last,
      (select count(*)::int from cancelled) as cancelled, ${CANCELLED_KEYS}`.execute(em.getKysely());
  if (rows[0]) await advanceOrdering(em, rows[0]);
  const { looked = 0, waiting = 0, last = null, cancelled = 0 } = rows[0] ?? {};
  if (cancelled < waiting) return { place: place ?? NIL, count: cancelled, again: true };
  return { place: looked === STEP ? last : null, count: cancelled, again: false };
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

/** What was cancelled lets the next of its key go, which may be another subscription's. */
async function advanceOrdering(em: EntityManager, { connection_ids, ordering_keys }: CancelledKeys): Promise<void> {
  if (connection_ids === null) return;
  await sql`select try_advance_ordering(${connection_ids}::bigint[], ${ordering_keys}::text[])`.execute(em.getKysely());
}
