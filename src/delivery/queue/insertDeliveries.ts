import { sql } from 'kysely';
import type { Database, EntityManager } from '../../database/Database.js';
import { newId } from '../../database/newId.js';
import { SwitchboardError } from '../../domain/errors.js';

interface PublishedEvents {
  readonly organizationId: number;
  /** In the order of publishing. */
  readonly events: readonly PublishedEvent[];
}

interface PublishedEvent {
  readonly id: string;
  readonly eventType: string;
  readonly orderingKey?: string | null;
}

/** Maximum number of deliveries that the publishing transaction writes. Beyond it, the engine writes them all in steps. */
const MAX_FAN_OUT = 10_000;

/**
 * Makes a delivery's id from its event's id (UUID version 7, RFC 9562) by replacing the last 40 bits, which are random. The bits
 * before them are the event's time and its number within the millisecond, so ids are in the order of publishing. Lists and the
 * release of held deliveries rely on that order.
 */
const DELIVERY_ID = sql`
  encode(overlay(uuid_send(e.id) placing substring(uuid_send(gen_random_uuid()) from 12) from 12), 'hex')::uuid`;

/**
 * Inserts a delivery for each row of `chosen (id, event_type, ordering_key, position, subscription_id)`.
 *
 * - The delivery is HELD when the connection is not active, or still has held deliveries, which must go first.
 * - Of each ordering key only the first unfinished delivery is due; `advance_ordering` (migration 0008) makes the next one due.
 */
const insert = (keyed: boolean) => sql`
  insert into deliveries
    (id, organization_id, event_id, subscription_id, connection_id, event_type, status, due_at, ordering_key, ordering_position)
  select ${DELIVERY_ID}, s.organization_id, e.id, s.id, s.connection_id, s.event_type,
    case when c.status = 'active' and q.sweep_at is null then 'pending' else 'held' end,
    ${keyed ? KEYED : sql`now(), null, null`}
  from chosen e
  join subscriptions s on s.id = e.subscription_id
  join connections c on c.id = s.connection_id
  left join delivery_queues q on q.connection_id = c.id
  ${keyed ? LAST_OF_KEY : sql``}
  order by e.position, s.id`;

const KEYED = sql`
    case when e.ordering_key is not null and (last.position is not null
      or 1 < row_number() over (partition by s.connection_id, e.ordering_key order by e.position, s.id)) then 'infinity' else now() end,
    e.ordering_key,
    case when e.ordering_key is not null then coalesce(last.position, 0)
      + row_number() over (partition by s.connection_id, e.ordering_key order by e.position, s.id) end`;

const LAST_OF_KEY = sql`left join lateral (
    select max(d.ordering_position) as position from deliveries d
    where d.connection_id = s.connection_id and d.ordering_key = e.ordering_key and d.status in ('pending', 'retrying', 'held')
  ) last on e.ordering_key is not null`;

/**
 * Adds one delivery for each event and each active subscription to its type, in the publishing transaction. Returns the number of
 * deliveries, including those that are written later.
 *
 * One statement reads all subscriptions at one moment. If a subscription is deleted a moment later, its deliveries are cancelled
 * when they are claimed; that avoids a lock on which all publishers would wait. When there would be more than `MAX_FAN_OUT`
 * deliveries, the transaction stores which subscriptions it found, and the engine adds the deliveries in steps. Events with
 * ordering keys also go that way while an earlier publish of the organization is still being fanned out, because they must not
 * overtake it.
 */
export async function insertDeliveries(em: EntityManager, { organizationId, events }: PublishedEvents): Promise<number> {
  const published = sql`unnest(
      ${events.map(({ id }) => id)}::uuid[], ${events.map(({ eventType }) => eventType)}::text[],
      ${events.map(({ orderingKey }) => orderingKey ?? null)}::text[]
    ) with ordinality as e (id, event_type, ordering_key, position)`;
  const keyed = events.some(({ orderingKey }) => orderingKey);
  if (keyed) await lockOrderingKeys(em, organizationId, events);
  const { rows } = await sql<{ count: number; subscriptions: Record<string, number[]> | null }>`
    with matching as materialized (
      select id, event_type from subscriptions
      where organization_id = ${organizationId} and is_active
        and event_type = any(${[...new Set(events.map(({ eventType }) => eventType))]}::text[])
    ), size as materialized (
      select coalesce(sum(m.count), 0)::int as count
      from ${published} join (select event_type, count(*) as count from matching group by event_type) m on m.event_type = e.event_type
    ), way as materialized (
      select count > ${MAX_FAN_OUT} or count > 0 and ${keyed} and exists (
        select from delivery_tasks where organization_id = ${organizationId} and status = 'running' and is_ordered
      ) as is_long from size
    ), chosen as (
      select e.id, e.event_type, e.ordering_key, e.position, m.id as subscription_id
      from ${published} join matching m on m.event_type = e.event_type
      where not (select is_long from way)
    ), inserted as (${insert(keyed)})
    select count, case when (select is_long from way) then (
      select json_object_agg(event_type, ids) from (
        select event_type, json_agg(id order by id) as ids from matching group by event_type
      ) m
    ) end as subscriptions
    from size`.execute(em.getKysely());
  const { count = 0, subscriptions = null } = rows[0] ?? {};
  if (subscriptions !== null) await deferFanOut(em, { organizationId, events }, subscriptions, { keyed, count });
  return count;
}

/**
 * Locks ordering keys until the transaction ends, so that the deliveries of a second publisher come behind those of the first.
 */
async function lockOrderingKeys(em: EntityManager, organizationId: number, events: readonly PublishedEvent[]): Promise<void> {
  const keys = [...new Set(events.flatMap(({ orderingKey }) => orderingKey ?? []))];
  if (keys.length === 0) return;
  await sql`
    select lock_ordering_keys(array_agg(${organizationId}::bigint), array_agg(key)) from unnest(${keys}::text[]) k (key)`.execute(
    em.getKysely(),
  );
}

async function deferFanOut(
  em: EntityManager,
  { organizationId, events }: PublishedEvents,
  subscriptions: Readonly<Record<string, readonly number[]>>,
  { keyed, count }: { readonly keyed: boolean; readonly count: number },
): Promise<void> {
  const input: FanOut = {
    events: events.map(({ id, eventType, orderingKey }) => ({ id, eventType, ...(orderingKey ? { orderingKey } : {}) })),
    subscriptions,
  };
  await sql`
    insert into delivery_tasks (id, organization_id, kind, input, total_count, is_ordered, run_at)
    values (${newId()}, ${organizationId}, 'fan_out', ${JSON.stringify(input)}::jsonb, ${count}, ${keyed},
      case when ${keyed} then 'infinity' else now() end)`.execute(em.getKysely());
}

/** What a publishing transaction stored for the engine to write in steps. */
export interface FanOut {
  readonly events: readonly PublishedEvent[];
  /** Ids of the subscriptions that the transaction found, by event type. */
  readonly subscriptions: Readonly<Record<string, readonly number[]>>;
}

/** Number of deliveries that one step writes. */
const STEP = 2_000;

/**
 * Takes the next step of a fan-out, event by event.
 * @param place number of deliveries written before this step.
 * @returns number of deliveries written so far, and whether the fan-out is complete.
 */
export async function continueFanOut(
  em: EntityManager,
  organizationId: number,
  fanOut: FanOut,
  place: number,
): Promise<{ place: number; more: boolean }> {
  const chosen: { event: PublishedEvent; subscriptionId: number; position: number }[] = [];
  let passed = 0;
  for (const [position, event] of fanOut.events.entries()) {
    const ids = fanOut.subscriptions[event.eventType] ?? [];
    const from = Math.max(0, place - passed);
    for (const subscriptionId of ids.slice(from, from + STEP - chosen.length)) chosen.push({ event, subscriptionId, position });
    passed += ids.length;
    if (chosen.length === STEP) break;
  }
  if (chosen.length > 0) {
    const columns = sql`
      unnest(
        ${chosen.map(({ event }) => event.id)}::uuid[], ${chosen.map(({ event }) => event.eventType)}::text[],
        ${chosen.map(({ event }) => event.orderingKey ?? null)}::text[], ${chosen.map(({ position }) => position)}::int[],
        ${chosen.map(({ subscriptionId }) => subscriptionId)}::bigint[]
      ) as c (id, event_type, ordering_key, position, subscription_id)`;
    await lockOrderingKeys(
      em,
      organizationId,
      chosen.map(({ event }) => event),
    );
    await sql`
      with chosen as (select * from ${columns}), inserted as (${insert(true)}) select`.execute(em.getKysely());
  }
  return { place: place + chosen.length, more: chosen.length === STEP };
}

/** Milliseconds for which a count is reused, as long as the count plus what this process has added stays below the quota. */
const BELIEVED_MS = 5_000;

/** A publish that adds more than this part of the quota always counts again. */
const LARGE = 1 / 100;

/** Value of Retry-After in seconds. By then deliveries may have gone out. */
const AGAIN_S = 30;

/** Maximum number of organizations whose counts are kept. */
const MAX_ORGANIZATIONS = 10_000;

interface Count {
  /** Deliveries that waited at the time of the count, plus those that this process may have added since. */
  waiting: number;
  /** `performance.now()`. */
  countedAt: number;
}

/**
 * Limits how many deliveries of one organization may wait at once. Without a limit, an organization that publishes faster than
 * its destinations accept would fill the disk that all share. Far below the limit a recent count is reused, so several processes
 * may together exceed the limit slightly with many small publishes. Near the limit, publishers take turns and count.
 */
export class WaitingQuota {
  readonly #counts = new Map<number, Count>();

  /** @param max 0 means no limit. */
  constructor(
    private readonly database: Database,
    private readonly max: number,
  ) {}

  /** Throws a SwitchboardError, TOO_MANY_WAITING, when the organization may not publish events at the moment. */
  async check(organizationId: number): Promise<void> {
    if (this.max === 0) return;
    let count = this.#believed(organizationId);
    if (!count || count.waiting >= this.max) count = await this.#count(this.database.sql(), organizationId, 0);
    if (count.waiting >= this.max) throw this.#full(0);
  }

  /**
   * Counts what a publishing transaction has added. Call it as the transaction's last step: near the limit it takes a lock that
   * lasts until the transaction ends. Throws a SwitchboardError, TOO_MANY_WAITING, when the limit would be exceeded; the caller
   * must then roll back.
   */
  async take(em: EntityManager, organizationId: number, added: number): Promise<void> {
    if (this.max === 0 || added === 0) return;
    const believed = this.#believed(organizationId);
    if (believed && believed.waiting + added <= this.max && added <= Math.max(1, this.max * LARGE)) {
      believed.waiting += added;
      return;
    }
    const db = em.getKysely<unknown>();
    await sql`select pg_advisory_xact_lock(hashtextextended('deliveries that wait', ${organizationId}::bigint))`.execute(db);
    const count = await this.#count(db, organizationId, added);
    if (count.waiting <= this.max) return;
    count.waiting -= added;
    throw this.#full(added);
  }

  #full(added: number): SwitchboardError {
    const message =
      added > this.max
        ? `This would add ${added} deliveries, and ${this.max} may wait at once. Publish fewer events at a time.`
        : added > 0
          ? `This would add ${added} deliveries to those that wait, and ${this.max} may wait at once. Publish fewer events at a time, or mend or turn off what the others wait for.`
          : `${this.max} deliveries wait already, which is as many as may. Mend or turn off what they wait for, then publish again.`;
    return new SwitchboardError('TOO_MANY_WAITING', message, { retryAfterSeconds: AGAIN_S });
  }

  #believed(organizationId: number): Count | null {
    const count = this.#counts.get(organizationId);
    return count && performance.now() - count.countedAt <= BELIEVED_MS ? count : null;
  }

  /** Counts the waiting deliveries, up to the quota plus `added`. The transaction already sees the `added` ones. */
  async #count(db: ReturnType<Database['sql']>, organizationId: number, added: number): Promise<Count> {
    const enough = this.max + added;
    const { rows } = await sql<{ count: number }>`
      select (count(*) + coalesce((
        select sum(total_count - done_count) from delivery_tasks
        where organization_id = ${organizationId} and status = 'running' and kind = 'fan_out'
      ), 0))::float8 as count from (
        select from connections c cross join lateral (
          select from deliveries d where d.connection_id = c.id and d.status in ('pending', 'retrying') limit ${enough}
        ) d where c.organization_id = ${organizationId}
        union all
        select from connections c cross join lateral (
          select from deliveries d where d.connection_id = c.id and d.status = 'held' limit ${enough}
        ) d where c.organization_id = ${organizationId}
        limit ${enough}
      ) w`.execute(db);
    const count = { waiting: rows[0]?.count ?? 0, countedAt: performance.now() };
    this.#counts.delete(organizationId);
    this.#counts.set(organizationId, count);
    if (this.#counts.size > MAX_ORGANIZATIONS) this.#counts.delete(this.#counts.keys().next().value as number);
    return count;
  }
}
