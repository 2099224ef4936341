import { sql } from 'kysely';
import { recordAudit } from '../database/auditLog.js';
import type { Database, EntityManager } from '../database/Database.js';
import { newId } from '../database/newId.js';
import { idRange } from '../database/paginate.js';
import { toTimestamp } from '../database/toTimestamp.js';
import { type Caller, reachableConnection } from '../domain/Caller.js';
import { Connection } from '../domain/Connection.js';
import type { DeliveryStatus } from '../domain/Delivery.js';
import { InputError } from '../domain/errors.js';
import { parseId } from '../domain/ids.js';
import type { DeliverySignal } from './DeliverySignal.js';
import { findReplay, type Replay, type ReplayProgress } from './replays.js';

interface Dependencies {
  readonly database: Database;
  readonly deliverySignal: DeliverySignal;
}

export interface ReplayDeliveriesInput {
  readonly connectionId: string;
  /** Selects deliveries created from `since` until `until`. */
  readonly since: Date;
  readonly until?: Date | null;
  /** Default: FAILED. */
  readonly statuses?: readonly DeliveryStatus[] | null;
  readonly eventType?: string | null;
  readonly subscriptionId?: string | null;
}

/** Deliveries that are finished or wait for a retry. All others are already due. */
export const REPLAYABLE: readonly DeliveryStatus[] = ['failed', 'retrying', 'cancelled', 'expired', 'delivered'];

const LONGEST_EVENT_TYPE = 255;

/** Steps taken before the answer; workers take the rest. */
const STEPS_AT_ONCE = 10;

/**
 * Makes all deliveries of a connection that match the filter due again, in their order. Each starts over: a manual attempt, then
 * the usual retries. Test broadcasts and deliveries of a deleted subscription are left out.
 *
 * Works in bounded steps: the first ones before this function returns, the others by the workers. `findReplay` returns the
 * progress. Throws an InputError: NOT_FOUND, INVALID, INVALID_CHOICE, MAX_VALUE, or CONFLICT when the connection is not active.
 */
export async function replayDeliveries(
  { database, deliverySignal }: Dependencies,
  caller: Caller,
  input: ReplayDeliveriesInput,
): Promise<ReplayProgress> {
  const connection = await database.em().findOne(Connection, reachableConnection(caller, input.connectionId));
  if (!connection) throw InputError.of('NOT_FOUND', 'There is no such connection.', 'connectionId');
  if (connection.status !== 'active') {
    throw InputError.of('CONFLICT', 'The connection is not active: what failed would wait with the rest.', 'connectionId');
  }
  if (input.statuses && input.statuses.length > REPLAYABLE.length) {
    throw InputError.of('MAX_VALUE', `There are ${REPLAYABLE.length} statuses: name each once at most.`, 'statuses');
  }
  const statuses = [...new Set(input.statuses ?? ['failed' as const])];
  const wrong = statuses.findIndex((status) => !REPLAYABLE.includes(status));
  if (wrong >= 0) {
    const message = 'What is PENDING or HELD is on its way already: name FAILED, RETRYING, CANCELLED, EXPIRED or DELIVERED.';
    throw InputError.of('INVALID_CHOICE', message, 'statuses', String(wrong));
  }
  if (input.eventType && (input.eventType.length > LONGEST_EVENT_TYPE || input.eventType.includes('\0'))) {
    throw InputError.of('INVALID', `No event type has more than ${LONGEST_EVENT_TYPE} characters, or a NUL.`, 'eventType');
  }
  const replay: Replay = {
    statuses,
    eventType: input.eventType ?? null,
    subscriptionId: input.subscriptionId ? (parseId(input.subscriptionId) ?? 0) : null,
    since: toTimestamp(input.since).toISOString(),
    // Deliveries created from now on are not part of the replay.
    until: toTimestamp(new Date(Math.min(input.until?.getTime() ?? Number.POSITIVE_INFINITY, Date.now()))).toISOString(),
  };
  const id = newId();
  // The queue's row first, because the replay takes several transactions.
  const after = { connectionId: String(connection.id), ...replay };
  await recordAudit(database.em(), caller, { action: 'deliveries_replayed', subject: ['replay', id], after });
  let place: string | null = null;
  let count = 0;
  for (let step = 0; step < STEPS_AT_ONCE; step++) {
    const taken = await database.transaction((em) => continueReplay(em, caller.organizationId, connection.id, replay, place));
    place = taken.place;
    count += taken.count;
    if (taken.count > 0) deliverySignal.notify();
    if (place === null) break;
  }
  await sql`
    insert into delivery_tasks (id, organization_id, kind, connection_id, input, status, place, done_count, finished_at)
    values (${id}, ${caller.organizationId}, 'replay', ${connection.id}, ${JSON.stringify(replay)}::jsonb,
      ${place === null ? 'completed' : 'running'}, ${place}, ${count}, case when ${place === null} then now() end)`.execute(
    database.sql(),
  );
  const progress = await findReplay({ database }, caller, id);
  return progress as ReplayProgress;
}

/** Deliveries that one step examines, whether or not they match. */
const STEP = 5_000;

/**
 * Takes the next step of a replay: examines the next deliveries of a connection, oldest first.
 * @param place the id of the last delivery of the previous step.
 * @returns the id of the last delivery of this step; null when there are no more.
 */
export async function continueReplay(
  em: EntityManager,
  organizationId: number,
  connectionId: number,
  { statuses, eventType, subscriptionId, since, until }: Replay,
  place: string | null,
): Promise<{ place: string | null; count: number }> {
  const { from, to } = idRange(new Date(since), new Date(until));
  const { rows } = await sql<{ looked: number; last: string | null; chosen: string[] | null; keys: string[] | null }>`
    with next as materialized (
      select id from deliveries
      where connection_id = ${connectionId} and id > greatest(${place ?? from}::uuid, ${from}::uuid) and id < ${to}::uuid
      order by id limit ${STEP}
    ), chosen as materialized (
      select d.id, d.ordering_key from deliveries d
      where d.id in (select id from next) and d.organization_id = ${organizationId} and d.status = any(${statuses}::text[])
        and d.created_at >= ${since}::timestamptz and d.created_at <= ${until}::timestamptz
        and (${eventType}::text is null or d.event_type = ${eventType}::text)
        and (${subscriptionId}::bigint is null or d.subscription_id = ${subscriptionId}::bigint)
        and (d.leased_until is null or d.leased_until <= now())
        and exists (select from subscriptions s where s.id = d.subscription_id)
        and exists (select from events e where e.id = d.event_id and not e.is_test and e.erased_at is null)
      for update skip locked
    )
    select (select count(*)::int from next) as looked, (select id from next order by id desc limit 1) as last,
      (select array_agg(id) from chosen) as chosen,
      (select array_agg(distinct ordering_key) from chosen where ordering_key is not null) as keys`.execute(em.getKysely());
  const { looked = 0, last = null, chosen = null, keys = null } = rows[0] ?? {};
  if (chosen !== null) await makeDueAgain(em, organizationId, connectionId, chosen, keys);
  return { place: looked === STEP ? last : null, count: chosen?.length ?? 0 };
}

/**
 * Makes deliveries due again. Within an ordering key, finished deliveries go behind the waiting ones, in the order of publishing,
 * and only the first is due. A delivery that waits for a retry keeps its position.
 */
async function makeDueAgain(
  em: EntityManager,
  organizationId: number,
  connectionId: number,
  ids: readonly string[],
  keys: readonly string[] | null,
): Promise<void> {
  if (keys !== null) {
    await sql`
      select lock_ordering_keys(array_agg(${organizationId}::bigint), array_agg(key)) from unnest(${keys}::text[]) k (key)`.execute(
      em.getKysely(),
    );
  }
  await sql`
    with last as materialized (
      select k.key, (
        select max(d.ordering_position) from deliveries d
        where d.connection_id = ${connectionId} and d.ordering_key = k.key and d.status in ('pending', 'retrying', 'held')
      ) as position from unnest(${keys ?? []}::text[]) k (key)
    ), chosen as (
      select d.id, row_number() over (order by d.id) as place,
        d.ordering_key is not null and d.status not in ('pending', 'retrying') as joins, l.position,
        row_number() over (
          partition by d.ordering_key, d.status in ('pending', 'retrying') order by d.id
        ) as turn
      from deliveries d left join last l on l.key = d.ordering_key where d.id = any(${ids}::uuid[])
    )
    update deliveries d
    set status = 'pending', retry_count = 0, next_trigger = 'manual', leased_by = null, leased_until = null, updated_at = now(),
      retried_at = now(),
      ordering_position = case when c.joins then coalesce(c.position, 0) + c.turn else d.ordering_position end,
      due_at = case
        when c.joins and (c.position is not null or c.turn > 1) or not c.joins and d.due_at = 'infinity' and d.ordering_key is not null
          then 'infinity'
        else statement_timestamp() + c.place * interval '1 microsecond' end
    from chosen c where d.id = c.id`.execute(em.getKysely());
}
