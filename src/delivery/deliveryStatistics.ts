import { sql } from 'kysely';
import type { Database } from '../database/Database.js';
import { type Caller, reachableRows } from '../domain/Caller.js';
import { DAY_MS, HOUR_MS } from '../domain/duration.js';
import { SwitchboardError } from '../domain/errors.js';
import { addLatencies, latencyPercentile } from './latencies.js';

/** `connection_id` of the rows that count all connections of an organization together. No connection has it. */
export const WHOLE_ORGANIZATION = -1;

/** `interval_minutes` of the rows. Everything is counted in both. */
export const INTERVALS = [1, 60] as const;

export interface DeliveryStatisticsInput {
  readonly from: Date;
  readonly until?: Date | null;
  readonly connectionId?: string | null;
}

interface Counts {
  readonly delivered: number;
  readonly failed: number;
  /** Attempts that failed and are followed by another. */
  readonly retried: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

export interface DeliveryStatistics extends Counts {
  /** Start of the first interval and end of the last one. */
  readonly from: Date;
  readonly until: Date;
  readonly intervalSeconds: number;
  /** From 0 to 1; null when nothing was delivered and nothing failed. */
  readonly successRate: number | null;
  /** All intervals, oldest first. */
  readonly intervals: readonly (Counts & { readonly start: Date })[];
}

const MINUTE_MS = 60_000;

/** The longest range with each length of intervals, in order, so that there are about 180 at most. */
const LENGTHS = [
  { minutes: 1, rangeMs: 3 * HOUR_MS },
  { minutes: 5, rangeMs: 15 * HOUR_MS },
  { minutes: 15, rangeMs: 45 * HOUR_MS },
  { minutes: 60, rangeMs: 180 * HOUR_MS },
] as const;

/** Length of the intervals of longer ranges. */
const LONGEST = 360;

const LONGEST_RANGE_DAYS = 31;

/** A range up to now has become longer by the time the question is here. */
const UNDER_WAY_MS = MINUTE_MS;

/** How long rows of minutes and of hours are kept. Reading relies on an hour less. */
const KEPT_MS = { 1: 48 * HOUR_MS, 60: (LONGEST_RANGE_DAYS + 1) * DAY_MS } as const;

/**
 * Returns how many deliveries succeeded and failed in a range of time, and how long they took, as a whole and for each interval
 * of it. The cost depends on the number of intervals, not on the number of deliveries. A connection that the caller may not
 * touch has no deliveries. Throws BAD_USER_INPUT.
 */
export async function findDeliveryStatistics(
  { database }: { database: Database },
  caller: Caller,
  { from, until, connectionId: wanted }: DeliveryStatisticsInput,
): Promise<DeliveryStatistics> {
  const nowMs = Date.now();
  const fromMs = from.getTime();
  const untilMs = Math.min(until?.getTime() ?? nowMs, nowMs);
  if (fromMs >= untilMs) throw new SwitchboardError('BAD_USER_INPUT', '"from" must be before "until", and in the past.');
  const rangeMs = untilMs - fromMs - UNDER_WAY_MS;
  if (rangeMs > LONGEST_RANGE_DAYS * DAY_MS) {
    throw new SwitchboardError('BAD_USER_INPUT', `From "from" to "until" may be ${LONGEST_RANGE_DAYS} days at most.`);
  }
  const hasMinutes = fromMs >= nowMs - KEPT_MS[1] + HOUR_MS;
  const minutes = LENGTHS.find((length) => rangeMs <= length.rangeMs && (length.minutes >= 60 || hasMinutes))?.minutes ?? LONGEST;
  const lengthMs = minutes * MINUTE_MS;
  const first = Math.floor(fromMs / lengthMs) * lengthMs;
  const end = Math.ceil(untilMs / lengthMs) * lengthMs;
  const { organizationId, connectionId = WHOLE_ORGANIZATION } = reachableRows(caller, wanted);
  const { rows } = await sql<Row>`
    select date_part('epoch', started_at) * 1000 as "startMs", delivered::float8, failed::float8, retried::float8,
      array_to_string(latencies, ',') as latencies
    from delivery_statistics
    where organization_id = ${organizationId} and connection_id = ${connectionId}
      and interval_minutes = ${minutes < 60 ? INTERVALS[0] : INTERVALS[1]}
      and started_at >= ${new Date(first)} and started_at < ${new Date(end)}`.execute(database.sql());
  const whole = new Sum();
  const sums = Array.from({ length: (end - first) / lengthMs }, () => new Sum());
  for (const row of rows) {
    whole.add(row);
    sums[Math.floor((row.startMs - first) / lengthMs)]?.add(row);
  }
  const ended = whole.delivered + whole.failed;
  return {
    ...{ from: new Date(first), until: new Date(end), intervalSeconds: minutes * 60, ...whole.counts() },
    successRate: ended === 0 ? null : whole.delivered / ended,
    intervals: sums.map((sum, index) => ({ start: new Date(first + index * lengthMs), ...sum.counts() })),
  };
}

interface Row {
  readonly startMs: number;
  readonly delivered: number;
  readonly failed: number;
  readonly retried: number;
  /** Decimal numbers, separated by commas. */
  readonly latencies: string;
}

/** The sum of some rows. */
class Sum {
  delivered = 0;
  failed = 0;
  retried = 0;
  readonly latencies: number[] = [];

  add({ delivered, failed, retried, latencies }: Row): void {
    this.delivered += delivered;
    this.failed += failed;
    this.retried += retried;
    if (latencies !== '') addLatencies(this.latencies, latencies.split(',').map(Number));
  }

  counts(): Counts {
    const { delivered, failed, retried, latencies } = this;
    const p50Ms = latencyPercentile(latencies, 0.5);
    return { ...{ delivered, failed, retried, p50Ms }, p95Ms: latencyPercentile(latencies, 0.95) };
  }
}

/** Length of the time whose rows one step deletes. */
const STEP = '10 minutes';

/**
 * Deletes rows of minutes after 48 hours and rows of hours after 32 days, oldest first and in steps. Stops between two steps
 * when `stopping` is aborted. Returns how many.
 */
export async function sweepDeliveryStatistics(
  { database }: { database: Database },
  stopping: AbortSignal = new AbortController().signal,
): Promise<number> {
  let count = 0;
  for (const minutes of INTERVALS) {
    while (!stopping.aborted) {
      const { rows } = await sql<{ until: Date | null }>`
        select least(min(started_at) + ${STEP}::interval, now() - ${KEPT_MS[minutes]} * interval '1 millisecond') as until
        from delivery_statistics where interval_minutes = ${minutes}
        having min(started_at) < now() - ${KEPT_MS[minutes]} * interval '1 millisecond'`.execute(database.sql());
      const until = rows[0]?.until;
      if (!until) break;
      const { numAffectedRows } = await sql`
        delete from delivery_statistics where interval_minutes = ${minutes} and started_at < ${until}`.execute(database.sql());
      if (!numAffectedRows) break;
      count += Number(numAffectedRows);
    }
  }
  return count;
}
