import { sql } from 'kysely';
import type { Database } from '../database/Database.js';

const BATCH = 1_000;

/**
 * Deletes events of before a time with their deliveries and attempts, in small batches. An event that still has to be
 * delivered somewhere stays, however old. Returns how many.
 */
export async function deleteOldEvents({ database }: { database: Database }, before: Date): Promise<number> {
  let count = 0;
  for (;;) {
    const { rows } = await sql<{ id: string }>`
      delete from events where id in (
        select e.id from events e
        where e.created_at < ${before.toISOString()}
          and not exists (select from deliveries d where d.event_id = e.id and d.status in ('pending', 'retrying', 'held'))
        order by e.created_at limit ${BATCH}
      ) returning id`.execute(database.sql());
    count += rows.length;
    if (rows.length < BATCH) return count;
  }
}
