import type pg from 'pg';
import type { EngineOptions } from './EngineOptions.js';
import type { HealthTally } from './tallyHealth.js';

/**
 * Writes what results say about connections, and runs the circuit breaker:
 * - a success closes it;
 * - enough consecutive failures, or a failed probe, open it: a pause, each twice as long as the one before;
 * - failures that come in while it is open (they were under way) do not make the pause longer;
 * - a probe that found out nothing leaves the next one its turn at once.
 *
 * Not part of the statement that settles deliveries: its foreign key would make that one wait for, and be waited for by,
 * somebody who deletes the connection.
 */
const RECORD = `
  insert into connection_health as h (connection_id, consecutive_failures, failing_since, pauses, paused_until, throttled_until)
  select t.id, t.failures, to_timestamp(t.since_ms / 1000), (t.failures >= $7)::int,
    case when t.failures >= $7 then now() + $8 * interval '1 millisecond' end, to_timestamp(t.throttled_ms / 1000)
  from unnest($1::bigint[], $2::bool[], $3::int[], $4::float8[], $5::bool[], $6::float8[])
    as t (id, succeeded, failures, since_ms, probed, throttled_ms)
  join connections c on c.id = t.id
  where t.failures > 0 or t.throttled_ms is not null
    or exists (select from connection_health k where k.connection_id = t.id)
  order by t.id
  on conflict (connection_id) do update set (consecutive_failures, failing_since, pauses, paused_until, throttled_until) = (
    select
      n.failures,
      case when n.failures > 0 then coalesce(n.since, excluded.failing_since, now()) end,
      n.pauses + n.opens::int,
      case
        when n.opens then now() + least($8 * power(2, least(n.pauses, 30)), $9) * interval '1 millisecond'
        when n.probed then now()
        else n.paused_until end,
      greatest(h.throttled_until, excluded.throttled_until)
    from (
      select s.*, s.failed > 0 and ((s.paused_until is null and s.failures >= $7) or s.probed) as opens
      from (
        select
          t.failures as failed,
          t.failures + case when t.succeeded then 0 else h.consecutive_failures end as failures,
          case when t.succeeded then null else h.failing_since end as since,
          case when t.succeeded then 0 else h.pauses end as pauses,
          case when t.succeeded then null else h.paused_until end as paused_until,
          t.probed and not t.succeeded as probed
        from unnest($1::bigint[], $2::bool[], $3::int[], $4::float8[], $5::bool[], $6::float8[])
          as t (id, succeeded, failures, since_ms, probed, throttled_ms)
        where t.id = h.connection_id
      ) s
    ) n
  )
  returning connection_id, paused_until > now() as paused,
    failing_since < now() - $10 * interval '1 millisecond' and consecutive_failures >= $7 as hopeless`;

export interface HealthFinding {
  readonly connectionId: number;
  readonly paused: boolean;
  /** Nothing but failures for as long as is put up with, and not just one after a long silence. */
  readonly hopeless: boolean;
}

export async function recordHealth(
  pool: pg.Pool,
  tallies: readonly HealthTally[],
  { breaker, disableAfterMs }: Pick<EngineOptions, 'breaker' | 'disableAfterMs'>,
): Promise<HealthFinding[]> {
  if (tallies.length === 0) return [];
  const { rows } = await pool.query<{ connection_id: string; paused: boolean | null; hopeless: boolean | null }>({
    name: 'record-health',
    text: RECORD,
    values: [
      tallies.map(({ connectionId }) => connectionId),
      tallies.map(({ succeeded }) => succeeded),
      tallies.map(({ failures }) => failures),
      tallies.map(({ failingSinceMs }) => failingSinceMs),
      tallies.map(({ probed }) => probed),
      tallies.map(({ throttledUntilMs }) => throttledUntilMs),
      breaker.failures,
      breaker.pauseMs,
      breaker.maxPauseMs,
      disableAfterMs,
    ],
  });
  return rows.map((row) => ({
    connectionId: Number(row.connection_id),
    paused: row.paused === true,
    hopeless: row.hopeless === true,
  }));
}
