import { sql } from 'kysely';
import type { Database } from '../database/Database.js';

export interface HitCount {
  /** In this minute, this one included. */
  readonly hits: number;
  readonly resetsInSeconds: number;
}

/**
 * Counts a hit in a window of one minute that begins with its first one. One statement on one row, so that all
 * processes count together and no two of them read the same number. A chore sweeps out what is over.
 */
export async function countHit({ database }: { database: Database }, key: string): Promise<HitCount> {
  const { rows } = await sql<{ hits: number; resets_in: number }>`
    insert into rate_limits as counted (key, hits, resets_at)
    values (${key}, 1, clock_timestamp() + interval '1 minute')
    on conflict (key) do update set
      hits = case when counted.resets_at <= clock_timestamp() then 1 else counted.hits + 1 end,
      resets_at = case when counted.resets_at <= clock_timestamp() then excluded.resets_at else counted.resets_at end
    returning hits, ceil(extract(epoch from resets_at - clock_timestamp()))::int as resets_in`.execute(database.sql());
  const row = rows[0] as { hits: number; resets_in: number };
  return { hits: row.hits, resetsInSeconds: Math.max(1, row.resets_in) };
}
