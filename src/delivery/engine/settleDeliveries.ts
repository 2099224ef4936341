import type pg from 'pg';
import { plainArray } from './plainArray.js';
import type { Settlement } from './Settlement.js';

/**
 * Writes results: new states, next due times and attempts, in one statement.
 *
 * - State, due time and retry count change only under the lease that the result was made under: one whose lease ran out
 *   belongs to another worker by now. A success is the exception: what a receiver has accepted is delivered, whoever asked.
 * - What was cancelled meanwhile stays cancelled, unless it was delivered after all.
 * - An attempt is recorded in any case, for it was made and the receiver saw it. It gets the next free number.
 */
const settle = (unlessRecorded: string) => `
  with results as (
    select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::float8[], $5::int[], $6::text[],
      $7::int[], $8::text[], $9::text[], $10::text[], $11::int[], $12::float8[])
      as r (id, lease, state, wait_ms, retry_count, trigger,
        status_code, response_body, error_code, error_message, duration_ms, started_at_ms)
  ), settled as (
    update deliveries d set
      status = case
        when r.state = 'delivered' then 'delivered'
        when r.state = 'back' or d.leased_by is distinct from r.lease or d.status not in ('pending', 'retrying') then d.status
        else r.state end,
      due_at = case
        when r.state = 'retrying' and d.leased_by = r.lease then now() + r.wait_ms * interval '1 millisecond'
        else d.due_at end,
      retry_count = case when d.leased_by = r.lease then r.retry_count else d.retry_count end,
      next_trigger = case when d.leased_by = r.lease and r.state <> 'back' then 'automatic' else d.next_trigger end,
      leased_by = case when d.leased_by = r.lease or r.state = 'delivered' then null else d.leased_by end,
      leased_until = case when d.leased_by = r.lease or r.state = 'delivered' then null else d.leased_until end,
      attempt_count = d.attempt_count + (r.started_at_ms is not null)::int,
      -- What was handed back untried is as it was.
      updated_at = case when r.state = 'back' and r.started_at_ms is null then d.updated_at else now() end
    from results r
    where d.id = r.id${unlessRecorded}
    returning d.id, d.attempt_count, r.trigger, r.status_code, r.response_body, r.error_code, r.error_message,
      r.duration_ms, r.started_at_ms
  )
  insert into attempts (delivery_id, number, trigger, status_code, response_body, error_code, error_message, duration_ms, started_at)
  select id, attempt_count, trigger, status_code, response_body, error_code, error_message, duration_ms,
    to_timestamp(started_at_ms / 1000)
  from settled where started_at_ms is not null`;

const SETTLE = settle('');

/** After a failure that may have come too late: what the first try did write is not written again. */
const SETTLE_AGAIN = settle(`
      and (r.started_at_ms is null or not exists (
        select from attempts a where a.delivery_id = d.id and a.started_at = to_timestamp(r.started_at_ms / 1000)
      ))`);

/** @param batch at most one result for each delivery, in the order of their ids, in which their rows are locked. */
export async function settleDeliveries(pool: pg.Pool, batch: readonly Settlement[], again: boolean): Promise<void> {
  const allWell = batch.every(({ attempt }) => !attempt?.error);
  await pool.query({
    name: again ? 'settle-deliveries-again' : 'settle-deliveries',
    text: again ? SETTLE_AGAIN : SETTLE,
    values: [
      plainArray(batch.map(({ id }) => id)),
      plainArray(batch.map(({ lease }) => lease)),
      plainArray(batch.map(({ state }) => state)),
      plainArray(batch.map(({ waitMs }) => waitMs)),
      plainArray(batch.map(({ retryCount }) => retryCount)),
      plainArray(batch.map(({ trigger }) => trigger)),
      plainArray(batch.map(({ attempt }) => attempt?.statusCode ?? null)),
      batch.map(({ attempt }) => attempt?.responseBody ?? null),
      // unnest fills up with nulls: while all goes well, these two columns need not be sent.
      allWell ? [] : batch.map(({ attempt }) => attempt?.error?.code ?? null),
      allWell ? [] : batch.map(({ attempt }) => attempt?.error?.message ?? null),
      plainArray(batch.map(({ attempt }) => attempt?.durationMs ?? null)),
      plainArray(batch.map(({ attempt }) => attempt?.startedAtMs ?? null)),
    ],
  });
}
