import type pg from 'pg';
import type { AttemptTrigger } from '../../domain/Attempt.js';
import type { EventToDeliver } from '../DeliveryJob.js';

/** A delivery that this process holds under a lease. */
export interface ClaimedDelivery {
  readonly id: string;
  readonly connectionId: number;
  /** The version of the connection's row; changes whenever the row changes. */
  readonly connectionVersion: string;
  readonly lease: string;
  /** `performance.now()` at which this process considers the lease over, a little before the database does. */
  readonly leaseEndsAt: number;
  /** Milliseconds to add to `performance.now()` for Postgres's time, in ms since 1970. A worker's own clock is never used. */
  readonly clockOffsetMs: number;
  readonly attemptCount: number;
  readonly retryCount: number;
  /** True when the delivery waited for an automatic retry, even if a manual retry made it due earlier. */
  readonly wasRetrying: boolean;
  readonly trigger: AttemptTrigger;
  readonly event: EventToDeliver;
  /** Milliseconds since it was published or last retried by hand. */
  readonly ageMs: number;
  /** When it was published or last retried by hand, in ms since 1970 by Postgres's clock. */
  readonly agingSinceMs: number;
  /** Events with the same key reach the connection one after another. */
  readonly orderingKey: string | null;
  /** True for the one attempt that tests whether a paused connection works again. */
  readonly probe: boolean;
  /** False when its subscription is gone, so that it must be cancelled. */
  readonly wanted: boolean;
  /** True when failures of the connection are on record. */
  readonly failing: boolean;
  /** False when nothing was ever sent to the connection. */
  readonly known: boolean;
}

export interface ClaimRequest {
  readonly limit: number;
  /** Maximum for each connection. */
  readonly perConnection: number;
  /** Maximum for connections that are already busy, by id. */
  readonly busy: Readonly<Record<string, number>>;
  /** Maximum for all connections together whose last attempts failed. */
  readonly failing: number;
  /** Maximum for all untried connections together. */
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
  failing: boolean,
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
 * Claims due deliveries, fairly among connections, under one lease. No other worker claims them until the lease ends. The work is
 * one database function (migrations 0008, 0011, 0013 and 0020), whose cost depends on what is ready, not on how much waits.
 */
export async function claimDeliveries(pool: pg.Pool, request: ClaimRequest): Promise<ClaimedDelivery[]> {
  const { limit, perConnection, busy, failing, new: untried, lease, leaseMs } = request;
  const full = Object.keys(busy).filter((id) => (busy[id] ?? 0) <= 0);
  const free = Object.fromEntries(Object.entries(busy).filter(([, slots]) => slots > 0));
  // Measured before the statement, so the lease ends here before it does in the database.
  const leaseEndsAt = performance.now() + leaseMs;
  const { rows } = await pool.query<Row>({
    name: 'claim-deliveries',
    text: 'select * from claim_due_deliveries($1, $2, $3, $4, $5, $6, $7, $8)',
    values: [limit, perConnection, JSON.stringify(free), full, failing, untried, lease, leaseMs],
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
    failing: row[8],
    known: row[9],
    wanted: row[10],
    orderingKey: row[11],
    ageMs: row[12],
    agingSinceMs: row[18] - row[12],
    event: {
      ...{ id: row[13], eventType: row[14], payload: row[15], recipient: row[16], createdAt: new Date(row[17]) },
      occurredAt: row[19] === null ? null : new Date(row[19]),
      ...{ value: row[20], valueCurrency: row[21], properties: row[22], isTest: false },
    },
    clockOffsetMs: row[18] - answeredAt,
  }));
}

/** Returns the milliseconds until the next queue becomes ready; null when none will. */
export async function nextReadyInMs(pool: pg.Pool): Promise<number | null> {
  const { rows } = await pool.query<{ ms: number }>({
    name: 'next-ready',
    text: `
      select date_part('epoch', ready_at - clock_timestamp()) * 1000 as ms
      from delivery_queues where ready_at > now() order by ready_at limit 1`,
  });
  return rows[0] ? Math.max(0, rows[0].ms) : null;
}
