import type pg from 'pg';
import type { AttemptTrigger } from '../../domain/Attempt.js';
import type { EventToDeliver } from '../DeliveryJob.js';

/** A delivery that this process holds under a lease. */
export interface ClaimedDelivery {
  readonly id: string;
  readonly connectionId: number;
  /** Of the connection's row; another value whenever it was changed. */
  readonly connectionVersion: string;
  readonly lease: string;
  /** `performance.now()` at which the lease is taken to be over, a little early. */
  readonly leaseEndsAt: number;
  /** What to add to `performance.now()` for Postgres's clock, in ms since 1970: a worker's own clock decides nothing. */
  readonly clockOffsetMs: number;
  readonly attemptCount: number;
  readonly retryCount: number;
  /** True while it waited for an automatic retry, though somebody may have brought it forward. */
  readonly wasRetrying: boolean;
  readonly trigger: AttemptTrigger;
  readonly event: EventToDeliver;
  /** Milliseconds since it was published, or since somebody last had it tried again by hand. */
  readonly ageMs: number;
  /** Events of one key reach the connection one after another. */
  readonly orderingKey: string | null;
  /** The one attempt that finds out whether a paused connection works again. */
  readonly probe: boolean;
  /** False when its subscription is gone: it is to be cancelled instead. */
  readonly wanted: boolean;
  /** True when failures of the connection are on record. */
  readonly ailing: boolean;
  /** False when nothing was ever sent there. */
  readonly known: boolean;
}

export interface ClaimRequest {
  readonly limit: number;
  /** How many for each connection. */
  readonly perConnection: number;
  /** How many for the connections that are busy already, by id. */
  readonly busy: Readonly<Record<string, number>>;
  /** How many for connections whose last attempts failed, all together. */
  readonly ailing: number;
  /** How many for connections that were never tried, all together. */
  readonly new: number;
  /** A fresh UUID. */
  readonly lease: string;
  readonly leaseMs: number;
}

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
  known: boolean,
  wanted: boolean,
  orderingKey: string | null,
  ageMs: number,
  eventId: string,
  eventType: string,
  payload: string,
  recipient: string | null,
  createdAtMs: number,
  nowMs: number,
  occurredAtMs: number | null,
  value: number | null,
  valueCurrency: string | null,
  properties: string | null,
];

/**
 * Takes what is due, fairly among connections: nobody else holds it until the lease is over. One function in the database
 * (migrations 0008, 0011, 0013 and 0020), which costs what is ready, however much waits.
 */
export async function claimDeliveries(pool: pg.Pool, request: ClaimRequest): Promise<ClaimedDelivery[]> {
  const { limit, perConnection, busy, ailing, new: untried, lease, leaseMs } = request;
  const full = Object.keys(busy).filter((id) => (busy[id] ?? 0) <= 0);
  const free = Object.fromEntries(Object.entries(busy).filter(([, slots]) => slots > 0));
  // From before the statement, so it ends here before it does in the database.
  const leaseEndsAt = performance.now() + leaseMs;
  const { rows } = await pool.query<Row>({
    name: 'claim-deliveries',
    text: 'select * from claim_due_deliveries($1, $2, $3, $4, $5, $6, $7, $8)',
    values: [limit, perConnection, JSON.stringify(free), full, ailing, untried, lease, leaseMs],
    rowMode: 'array',
  });
  const answeredAt = performance.now();
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
    known: row[9],
    wanted: row[10],
    orderingKey: row[11],
    ageMs: row[12],
    event: {
      ...{ id: row[13], eventType: row[14], payload: row[15], recipient: row[16], createdAt: new Date(row[17]) },
      occurredAt: row[19] === null ? null : new Date(row[19]),
      ...{ value: row[20], valueCurrency: row[21], properties: row[22], isTest: false },
    },
    clockOffsetMs: row[18] - answeredAt,
  }));
}

/** Milliseconds until a queue that is not ready now will be; null when none will. */
export async function nextReadyInMs(pool: pg.Pool): Promise<number | null> {
  const { rows } = await pool.query<{ ms: number }>({
    name: 'next-ready',
    text: `
      select date_part('epoch', ready_at - clock_timestamp()) * 1000 as ms
      from delivery_queues where ready_at > now() order by ready_at limit 1`,
  });
  return rows[0] ? Math.max(0, rows[0].ms) : null;
}
