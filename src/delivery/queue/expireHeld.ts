import { sql } from 'kysely';
import { idRange } from '../../database/createdBetween.js';
import type { Database } from '../../database/Database.js';

/** Deliveries of one step. */
const STEP = 1_000;

/**
 * Ends what is HELD and was created, or retried by hand, longer than so many milliseconds ago as EXPIRED, connection by
 * connection in small steps. What is old and due expires when it is claimed. Stops between two steps when told to. Returns how many.
 */
export async function expireHeld(
  { database }: { database: Database },
  olderThanMs: number,
  stopping: AbortSignal = new AbortController().signal,
): Promise<number> {
  const db = database.sql();
  const { rows: now } = await sql<{ ms: number }>`select date_part('epoch', now()) * 1000 as ms`.execute(db);
  const { to } = idRange(null, new Date((now[0]?.ms ?? 0) - olderThanMs));
  let count = 0;
  let connectionId = '0';
  while (!stopping.aborted) {
    const { rows: next } = await sql<{ connection_id: string }>`
      select connection_id from deliveries where status = 'held' and connection_id > ${connectionId}::bigint
      order by connection_id limit 1`.execute(db);
    if (!next[0]) break;
    connectionId = next[0].connection_id;
    for (let expired = STEP; expired === STEP && !stopping.aborted; count += expired) {
      const { numAffectedRows } = await sql`
        update deliveries d set status = 'expired', updated_at = now()
        from (
          select id from deliveries
          where connection_id = ${connectionId}::bigint and status = 'held' and id < ${to}::uuid
            and coalesce(retried_at, created_at) < now() - ${olderThanMs} * interval '1 millisecond'
          order by id limit ${STEP} for update skip locked
        ) old where d.id = old.id`.execute(db);
      expired = Number(numAffectedRows ?? 0);
    }
  }
  return count;
}
