import type pg from 'pg';
import type { ClaimedDelivery } from './ClaimedDelivery.js';

export interface ClaimRequest {
  /** The connection served last: the walk begins after it. */
  readonly after: number;
  readonly limit: number;
  /** How many for each connection. */
  readonly perConnection: number;
  /** How many for the connections that are busy already, by id. */
  readonly busy: Readonly<Record<string, number>>;
  /** A fresh UUID. */
  readonly lease: string;
  readonly leaseMs: number;
}

/**
 * The walk around all connections that have something due, by one look into the index for each (a "loose index scan"):
 * 100,000 deliveries of one connection cost it no more than one. It is lazy, so it ends when enough is claimed.
 */
const NEXT = (after: string, bound = '') => `
  select d.connection_id, d.due_at from deliveries d
  where d.status in ('pending', 'retrying') and d.connection_id > ${after} ${bound}
  order by d.connection_id, d.due_at limit 1`;

/**
 * For each connection: is it active, has no rate limit to wait for, and may it be tried? (`offset 0` makes Postgres begin
 * with the walk: it would else drive it from the table of all connections.)
 * The gate is open unless the circuit breaker has paused it; when the pause is over, it lets through one attempt. Locking
 * its row makes that one among all processes; the others skip it.
 */
const CLAIM = `
  with recursive ahead as (
    (${NEXT('$1::bigint')})
    union all
    select n.* from ahead a cross join lateral (${NEXT('a.connection_id')}) n
  ), behind as (
    (${NEXT('0', 'and d.connection_id <= $1')})
    union all
    select n.* from behind b cross join lateral (${NEXT('b.connection_id', 'and d.connection_id <= $1')}) n
  ), picked as materialized (
    select d.place, gate.probe, c.id as connection_id, c.version, h.ailing
    from (
      select connection_id from ahead where due_at <= now()
      union all
      select connection_id from behind where due_at <= now()
    ) lap
    cross join lateral (
      select id, xmin::text as version from connections where id = lap.connection_id and status = 'active' offset 0
    ) c
    left join lateral (
      select paused_until, throttled_until, consecutive_failures > 0 or failing_since is not null as ailing
      from connection_health where connection_id = lap.connection_id offset 0
    ) h on true
    cross join lateral (
      select coalesce(($4::jsonb ->> c.id::text)::int, $3::int) as slots, false as probe where h.paused_until is null
      union all
      select 1, true from (
        select from connection_health p where p.connection_id = c.id and p.paused_until <= now() for update skip locked
      ) open
    ) gate
    cross join lateral (
      select q.ctid as place from deliveries q
      where q.connection_id = c.id and q.status in ('pending', 'retrying') and q.due_at <= now()
        and (q.leased_until is null or q.leased_until <= now())
      order by q.due_at limit gate.slots for update skip locked
    ) d
    where h.throttled_until is null or h.throttled_until <= now()
    limit $2
  ), probing as (
    update connection_health set paused_until = now() + $6 * interval '1 millisecond'
    where connection_id in (select connection_id from picked where probe)
  ), claimed as (
    update deliveries d set leased_by = $5, leased_until = now() + $6 * interval '1 millisecond'
    from picked p where d.ctid = p.place
    returning d.id, d.connection_id, p.version, d.attempt_count, d.retry_count, d.status, d.next_trigger, p.probe,
      coalesce(p.ailing, false) as ailing, d.event_id, d.subscription_id
  )
  select cl.id, cl.connection_id, cl.version, cl.attempt_count, cl.retry_count, cl.status = 'retrying', cl.next_trigger,
    cl.probe, cl.ailing, s.id is not null, e.id, e.event_type, e.payload::text, e.recipient,
    date_part('epoch', e.created_at) * 1000
  from claimed cl
  join events e on e.id = cl.event_id
  left join subscriptions s on s.id = cl.subscription_id`;

type Row = [
  id: string,
  connectionId: string,
  version: string,
  attemptCount: number,
  retryCount: number,
  wasRetrying: boolean,
  trigger: 'automatic' | 'manual',
  probe: boolean,
  ailing: boolean,
  wanted: boolean,
  eventId: string,
  eventType: string,
  payload: string,
  recipient: string | null,
  createdAtMs: number,
];

/** Takes what is due, fairly among connections, in one statement: nobody else holds it until the lease is over. */
export async function claimDeliveries(pool: pg.Pool, request: ClaimRequest): Promise<ClaimedDelivery[]> {
  const { after, limit, perConnection, busy, lease, leaseMs } = request;
  // From before the statement, so it ends here before it does in the database.
  const leaseEndsAt = performance.now() + leaseMs;
  const { rows } = await pool.query<Row>({
    name: 'claim-deliveries',
    text: CLAIM,
    values: [after, limit, perConnection, JSON.stringify(busy), lease, leaseMs],
    rowMode: 'array',
  });
  return rows.map((row) => ({
    id: row[0],
    connectionId: Number(row[1]),
    connectionVersion: row[2],
    lease,
    leaseEndsAt,
    attemptCount: row[3],
    retryCount: row[4],
    wasRetrying: row[5],
    trigger: row[6],
    probe: row[7],
    ailing: row[8],
    wanted: row[9],
    event: { id: row[10], eventType: row[11], payload: row[12], recipient: row[13], createdAt: new Date(row[14]) },
  }));
}
