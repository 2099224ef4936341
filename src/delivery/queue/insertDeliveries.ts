import { sql } from 'kysely';
import type { Database, EntityManager } from '../../database/Database.js';
import { newId } from '../../database/newId.js';
import { SwitchboardError } from '../../domain/errors.js';

interface PublishedEvents {
  readonly organizationId: number;
  /** In the order in which they were published. */
  readonly events: readonly PublishedEvent[];
}

interface PublishedEvent {
  readonly id: string;
  readonly eventType: string;
  readonly orderingKey?: string | null;
}

/** Deliveries of one publishing transaction. What is more is written in steps behind it. */
const MAX_FAN_OUT = 10_000;

/**
 * A delivery's id is its event's (UUID version 7, RFC 9562) with the last 40 bits, which are random, drawn anew: ids
 * are in the order of publishing, which lists and the release of held deliveries rely on. What comes before those bits is
 * the event's time and its number within the millisecond.
 */
const DELIVERY_ID = sql`
  encode(overlay(uuid_send(e.id) placing substring(uuid_send(gen_random_uuid()) from 12) from 12), 'hex')::uuid`;

/**
 * What is inserted of `chosen (id, event_type, ordering_key, position, subscription_id)`.
 *
 * - HELD where the connection is not active, or still holds what is to go first: then the new ones stay behind it.
 * - Of an ordering key, only the first unfinished is due; `advance_ordering` (migration 0008) makes the next one due.
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
 * Adds one delivery for each event and active subscription to its type, in the publishing transaction. Returns how many
 * there are, or will be.
 *
 * One statement, so a subscription counts as it is at this moment; one that is deleted a moment later has its deliveries
 * cancelled when they are claimed, without a lock here that all publishers would queue for. Where there would be more than
 * `MAX_FAN_OUT`, the transaction stores which subscriptions it found, and the engine adds the deliveries in steps. So it does
 * for ordering keys while an earlier publish of the organization is still being fanned out, which must not be overtaken.
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

/** Two publishers of a key take turns, so that what one adds comes behind what the other has added. */
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

/** What a publishing transaction left to be written in steps. */
export interface FanOut {
  readonly events: readonly PublishedEvent[];
  /** Ids of the subscriptions that it found, by event type. */
  readonly subscriptions: Readonly<Record<string, readonly number[]>>;
}

/** Deliveries of one step. */
const STEP = 2_000;

/**
 * Adds the next deliveries of a fan-out, event after event.
 * @param place how many were there before.
 * @returns how many are now, and whether those are all.
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

/** ms for which a count is believed, as long as it and what this process has added since stay below the quota. */
const BELIEVED_MS = 5_000;

/** A publish that adds more than this part of the quota is never let through on a belief. */
const LARGE = 1 / 100;

/** Seconds after which a publisher may come again: what waits goes out, or somebody mends what it waits for. */
const AGAIN_S = 30;

/** Organizations that are remembered. */
const MAX_ORGANIZATIONS = 10_000;

interface Count {
  /** Deliveries that waited when they were counted, and those that this process may have added since. */
  waiting: number;
  /** `performance.now()`. */
  countedAt: number;
}

/**
 * How many deliveries of one organization may wait at once: who publishes faster than its destinations take fills the disk
 * that all share. While the limit is far, what was counted a moment ago is believed, so several processes may together go a
 * little beyond it by many small publishes. Near it, publishers take turns and count.
 */
export class WaitingQuota {
  readonly #counts = new Map<number, Count>();

  /** @param max 0: no limit. */
  constructor(
    private readonly database: Database,
    private readonly max: number,
  ) {}

  /** Throws a SwitchboardError, TOO_MANY_WAITING, when no more events may be published for the moment. */
  async check(organizationId: number): Promise<void> {
    if (this.max === 0) return;
    let count = this.#believed(organizationId);
    if (!count || count.waiting >= this.max) count = await this.#count(this.database.sql(), organizationId, 0);
    if (count.waiting >= this.max) throw this.#full(0);
  }

  /**
   * Counts what a publishing transaction has added, as its last step: it holds a lock until it ends when the limit is near.
   * Throws a SwitchboardError, TOO_MANY_WAITING, when that would be more than may wait; then nothing of it may be committed.
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

  /** Counts to the quota and `added`, which the transaction sees already: that tells how many wait beside those. */
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
