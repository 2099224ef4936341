import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../database/Database.js';

/** Whether a key's time of last use is more than a minute old, by the database's clock. */
export const useIsStale: RawBuilder<boolean> = sql<boolean>`coalesce(last_used_at < now() - interval '1 minute', true)`;

/** Remembers when a key was last used, to the minute: a busy key is written once a minute, not once a call. */
export async function noteUse(
  { database }: { database: Database },
  key: { readonly id: string; readonly use_is_stale: boolean },
): Promise<void> {
  if (!key.use_is_stale) return;
  await sql`update api_keys set last_used_at = now() where id = ${key.id} and ${useIsStale}`.execute(database.sql());
}
