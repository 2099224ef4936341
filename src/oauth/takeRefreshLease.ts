import { sql } from 'kysely';
import type { Database } from '../database/Database.js';
import { newId } from '../database/newId.js';
import type { Credential } from '../domain/Credential.js';

/** Longer than a refresh may take (10 s), so that only a crash lets a lease run out. */
const LEASE_SECONDS = 15;

export interface RefreshLease {
  readonly id: string;
  readonly connectionId: number;
  readonly provider: string;
  /** Encrypted, as it is now. */
  readonly refreshToken: string;
  readonly version: number;
}

/**
 * Takes the right to refresh in one statement, naming the version that was read: whoever comes second, in whatever
 * process, gets null. While a failed refresh cools down, everybody does.
 */
export async function takeRefreshLease(
  database: Database,
  { connectionId, version, provider, refreshToken }: Credential,
): Promise<RefreshLease | null> {
  const id = newId();
  const { rows } = await sql`
    update credentials
    set refresh_leased_by = ${id}::uuid, refresh_leased_until = now() + make_interval(secs => ${LEASE_SECONDS})
    where connection_id = ${connectionId} and version = ${version} and refresh_token is not null
      and (refresh_leased_until is null or refresh_leased_until < now())
    returning connection_id`.execute(database.sql());
  return rows.length === 1 ? { id, connectionId, version, provider, refreshToken: refreshToken as string } : null;
}
