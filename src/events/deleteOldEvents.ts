import { sql } from 'kysely';
import type { Database } from '../database/Database.js';
import { idRange } from '../database/paginate.js';

/** Number of events that one step examines. */
const STEP = 1_000;

/**
 * Deletes events older than `olderThanMs` milliseconds with their deliveries and attempts, in small steps, oldest first. Keeps an
 * event with an unfinished delivery, however old it is. Also keeps an event with a delivery that EXPIRED within that time, so
 * that it can still be seen and retried. Stops between two steps when `stopping` is aborted. Returns how many events were
 * deleted.
 */
export async function deleteOldEvents(
  { database }: { database: Database },
  olderThanMs: number,
  stopping: AbortSignal = new AbortController().signal,
): Promise<number> {
  let count = 0;
  let place: string | null = '00000000-0000-0000-0000-000000000000';
  const db = database.sql();
  // Postgres's clock decides which events are old. The bound on the id only limits the index scan.
  const { rows: now } = await sql<{ ms: number }>`select date_part('epoch', now()) * 1000 as ms`.execute(db);
  const { to } = idRange(null, new Date((now[0]?.ms ?? 0) - olderThanMs));
  while (place !== null && !stopping.aborted) {
    const step: Step | undefined = (
      await sql<Step>`
      with next as materialized (
        select id, created_at from events where id > ${place}::uuid and id < ${to}::uuid order by id limit ${STEP}
      ), deleted as (
        delete from events e using next n
        where e.id = n.id and n.created_at < now() - ${olderThanMs} * interval '1 millisecond'
          and not exists (
            select from deliveries d where d.event_id = n.id and (
              d.status in ('pending', 'retrying', 'held')
              or d.status = 'expired' and d.updated_at > now() - ${olderThanMs} * interval '1 millisecond'))
        returning e.id
      )
      select (select count(*)::int from next) as looked, (select id from next order by id desc limit 1) as last,
        (select count(*)::int from deleted) as deleted`.execute(db)
    ).rows[0];
    count += step?.deleted ?? 0;
    place = step?.looked === STEP ? step.last : null;
  }
  return count;
}

interface Step {
  readonly looked: number;
  readonly last: string;
  readonly deleted: number;
}
