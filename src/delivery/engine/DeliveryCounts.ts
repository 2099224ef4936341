import { sql } from 'kysely';
import type { Database } from '../../database/Database.js';
import { INTERVALS, WHOLE_ORGANIZATION } from '../deliveryStatistics.js';
import { addLatencies, latencyStep } from '../latencies.js';
import type { Settlement } from './Settlement.js';

/** What one connection did in one minute. */
interface Count {
  delivered: number;
  failed: number;
  retried: number;
  /** Number of deliveries by `latencyStep` of the time from publishing, or the last retry by hand, to the response. */
  readonly latencies: number[];
}

const MINUTE_MS = 60_000;

/** This many counts are written at once. One statement then has some 8,000 rows at most. */
const ENOUGH = 2_000;

/** Maximum number of counts while the database takes none. What would need another count is not counted. */
const MOST = 20_000;

/**
 * Counts written results in memory, by connection and minute, and adds the counts to `delivery_statistics` every few seconds.
 *
 * The counts are statistics, not accounts: a killed process loses those that it has not added, and a statement whose answer is
 * lost may be added twice.
 */
export class DeliveryCounts {
  /** By minute since 1970, by Postgres's clock, then by connection. */
  #counts = new Map<number, Map<number, Count>>();
  #size = 0;
  #writing: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  /** Whether the last write failed: then the next one is not before its time. */
  #troubled = false;

  constructor(
    private readonly database: Database,
    private readonly everyMs: number,
    private readonly onTrouble: (error: unknown) => void,
  ) {}

  add(batch: readonly Settlement[]): void {
    for (const { state, attempt, connectionId, startedAtMs, agingSinceMs, clockOffsetMs } of batch) {
      if (state !== 'delivered' && state !== 'failed' && state !== 'retrying') continue;
      const endedAtMs = startedAtMs !== null && attempt ? startedAtMs + attempt.durationMs : clockOffsetMs + performance.now();
      const count = this.#countOf(Math.floor(endedAtMs / MINUTE_MS), connectionId);
      if (!count) continue;
      if (state === 'delivered') {
        count.delivered++;
        countLatency(count.latencies, endedAtMs - agingSinceMs);
      } else if (state === 'failed') count.failed++;
      else count.retried++;
    }
    if (this.#size >= ENOUGH && !this.#troubled) void this.#write();
    else if (this.#size > 0) this.#timer ??= setTimeout(() => void this.#write(), this.everyMs);
  }

  /** Resolves when what was counted is written, or could not be. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#writing;
    await this.#write();
    clearTimeout(this.#timer);
  }

  #countOf(minute: number, connectionId: number): Count | null {
    let ofMinute = this.#counts.get(minute);
    const known = ofMinute?.get(connectionId);
    if (known) return known;
    if (this.#size >= MOST) return null;
    if (!ofMinute) {
      ofMinute = new Map();
      this.#counts.set(minute, ofMinute);
    }
    const count = nothing();
    ofMinute.set(connectionId, count);
    this.#size++;
    return count;
  }

  /** Writes what was counted, unless a write is under way. When Postgres takes nothing, the counts wait for the next time. */
  #write(): Promise<void> {
    this.#writing ??= this.#writeCounts().finally(() => {
      this.#writing = null;
      if (this.#size > 0) this.#timer ??= setTimeout(() => void this.#write(), this.everyMs);
    });
    return this.#writing;
  }

  async #writeCounts(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const counts = this.#counts;
    this.#counts = new Map();
    this.#size = 0;
    if (counts.size === 0) return;
    try {
      await addCounts(this.database, counts);
      this.#troubled = false;
    } catch (error) {
      this.#troubled = true;
      this.onTrouble(error);
      for (const [minute, ofMinute] of counts) {
        for (const [connectionId, count] of ofMinute) addCount(this.#countOf(minute, connectionId), count);
      }
    }
  }
}

function nothing(): Count {
  return { delivered: 0, failed: 0, retried: 0, latencies: [] };
}

function countLatency(latencies: number[], ms: number): void {
  const step = latencyStep(ms);
  while (latencies.length <= step) latencies.push(0);
  latencies[step] = (latencies[step] ?? 0) + 1;
}

function addCount(to: Count | null, { delivered, failed, retried, latencies }: Count): void {
  if (!to) return;
  to.delivered += delivered;
  to.failed += failed;
  to.retried += retried;
  addLatencies(to.latencies, latencies);
}

interface StatisticsRow extends Count {
  readonly organizationId: number;
  readonly connectionId: number;
  readonly intervalMinutes: number;
  /** ms since 1970. */
  readonly startMs: number;
}

/**
 * Adds counts in one statement: each to the minute and the hour of its connection and of its organization. Rows are locked in the
 * order of their key, so two processes cannot deadlock. Counts of a connection that is deleted by now are left out.
 */
async function addCounts(database: Database, counts: ReadonlyMap<number, ReadonlyMap<number, Count>>): Promise<void> {
  const connectionIds = [...new Set([...counts.values()].flatMap((ofMinute) => [...ofMinute.keys()]))];
  const { rows: known } = await sql<{ id: string; organization_id: string }>`
    select id, organization_id from connections where id = any(${sql.val(connectionIds)}::bigint[])`.execute(database.sql());
  const organizations = new Map(known.map(({ id, organization_id }) => [Number(id), Number(organization_id)]));
  const rows = [...rowsOf(counts, organizations)];
  if (rows.length === 0) return;
  const column = (read: (row: StatisticsRow) => number | string) => sql.val(rows.map(read));
  await sql`
    insert into delivery_statistics as s (
      organization_id, connection_id, interval_minutes, started_at, delivered, failed, retried, latencies)
    select r.organization_id, r.connection_id, r.minutes, to_timestamp(r.start_ms / 1000), r.delivered, r.failed, r.retried,
      r.latencies::int[]
    from unnest(
      ${column(({ organizationId }) => organizationId)}::bigint[], ${column(({ connectionId }) => connectionId)}::bigint[],
      ${column(({ intervalMinutes }) => intervalMinutes)}::smallint[], ${column(({ startMs }) => startMs)}::float8[],
      ${column(({ delivered }) => delivered)}::bigint[], ${column(({ failed }) => failed)}::bigint[],
      ${column(({ retried }) => retried)}::bigint[], ${column(({ latencies }) => `{${latencies.join(',')}}`)}::text[]
    ) as r (organization_id, connection_id, minutes, start_ms, delivered, failed, retried, latencies)
    order by 1, 2, 3, 4
    on conflict (organization_id, connection_id, interval_minutes, started_at) do update set
      delivered = s.delivered + excluded.delivered,
      failed = s.failed + excluded.failed,
      retried = s.retried + excluded.retried,
      latencies = (
        select coalesce(array_agg(least(coalesce(l.had, 0)::bigint + coalesce(l.added, 0), 2147483647)::int order by l.step), '{}')
        from unnest(s.latencies, excluded.latencies) with ordinality as l (had, added, step)
      )`.execute(database.sql());
}

/** Each count in the rows to which it belongs. */
function rowsOf(
  counts: ReadonlyMap<number, ReadonlyMap<number, Count>>,
  organizations: ReadonlyMap<number, number>,
): Iterable<StatisticsRow> {
  const rows = new Map<string, StatisticsRow>();
  for (const [minute, ofMinute] of counts) {
    for (const [connectionId, count] of ofMinute) {
      const organizationId = organizations.get(connectionId);
      if (organizationId === undefined) continue;
      for (const intervalMinutes of INTERVALS) {
        const startMs = Math.floor(minute / intervalMinutes) * intervalMinutes * MINUTE_MS;
        for (const id of [connectionId, WHOLE_ORGANIZATION]) {
          const key = `${organizationId} ${id} ${intervalMinutes} ${startMs}`;
          let row = rows.get(key);
          if (!row) {
            row = { organizationId, connectionId: id, intervalMinutes, startMs, ...nothing() };
            rows.set(key, row);
          }
          addCount(row, count);
        }
      }
    }
  }
  return rows.values();
}
