import { sql } from 'kysely';
import { GrantLost } from './AccessToken.js';
import { getAccessToken } from './getAccessToken.js';
import { ProviderError } from './ProviderError.js';
import type { RefreshDependencies } from './refreshCredential.js';

/** Klaviyo drops a refresh token that was not used for 90 days; a month is left for outages. */
const IDLE_DAYS = 60;
/** The chore runs every hour: spread over a day, in the order of who waits longest. */
const RUNS_A_DAY = 24;
const AT_LEAST = 20;

/**
 * Refreshes grants that nobody used for 60 days, so that a quiet shop stays connected. An outage leaves them for the next
 * run; a grant that turns out dead is declared so, which is better known now than at the next parcel. Returns how many.
 */
export async function refreshIdleGrants(dependencies: RefreshDependencies): Promise<number> {
  const { database, log, now } = dependencies;
  const idleSince = new Date(now() - IDLE_DAYS * 86_400_000).toISOString();
  const { rows } = await sql<{ connection_id: string; version: number }>`
    with idle as (
      select connection_id, version, coalesce(last_refreshed_at, created_at) as used_at from credentials
      where refresh_token is not null and coalesce(last_refreshed_at, created_at) < ${idleSince}
    )
    select connection_id, version from idle order by used_at
    limit greatest(${AT_LEAST}, (select count(*) from idle) / ${RUNS_A_DAY})`.execute(database.sql());
  let refreshed = 0;
  for (const { connection_id: connectionId, version } of rows) {
    try {
      await getAccessToken(dependencies, Number(connectionId), version);
      refreshed += 1;
    } catch (error) {
      if (!(error instanceof ProviderError || error instanceof GrantLost)) throw error;
      log.warn({ connectionId, reason: error.message }, 'An idle grant could not be refreshed');
    }
  }
  return refreshed;
}
