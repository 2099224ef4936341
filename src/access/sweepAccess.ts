import { sql } from 'kysely';
import type { Database } from '../database/Database.js';

/**
 * Deletes counts whose minute is over, answers kept by a key whose day is over, and access tokens that ended a day ago: until then, whoever comes with one is told
 * apart from somebody who guesses. Returns how many rows went.
 */
export async function sweepAccess({ database }: { database: Database }): Promise<number> {
  const counts = await sql`delete from rate_limits where resets_at < now()`.execute(database.sql());
  const tokens = await sql`delete from access_tokens where expires_at < now() - interval '1 day'`.execute(database.sql());
  const kept = await sql`delete from idempotent_requests where expires_at < now()`.execute(database.sql());
  return [counts, tokens, kept].reduce((sum, { numAffectedRows }) => sum + Number(numAffectedRows ?? 0n), 0);
}
