import { sql } from 'kysely';
import type { Database } from '../database/Database.js';
import type { Caller, Platform } from '../domain/Caller.js';
import { SwitchboardError } from '../domain/errors.js';

/** How often somebody may call; 0 a minute means as often as they like. */
interface AccessLimits {
  /** Of one organization, reads and writes each. */
  readonly requestsPerMinute: number;
  /** Wrong credentials from one address. */
  readonly failedLoginsPerMinute: number;
  /** Access tokens of one key that work at the same time. */
  readonly accessTokensPerKey: number;
}

/** What it takes to find out who calls. */
export interface AccessDependencies {
  readonly database: Database;
  readonly limits: AccessLimits;
}

/** Tokens are counted by key: whoever asks for too many takes nothing from the organization's other keys. */
type RequestKind = 'read' | 'write' | 'token';

/** How an organization stands with its limit after a request. */
export interface RequestCount {
  /** Whose limit it is. */
  readonly whose: 'Your organization' | 'Your platform';
  readonly limit: number;
  /** In this minute, after this one; negative for those that are too many. */
  readonly remaining: number;
  readonly resetsInSeconds: number;
}

/**
 * Counts a request of an organization, whoever acts for it, or of a platform that acts for none; reads and writes apart. Or a
 * token of a key. Null when there is no limit.
 */
export async function countRequest(
  dependencies: AccessDependencies,
  { organizationId, apiKeyId }: Caller | Platform,
  kind: RequestKind,
): Promise<RequestCount | null> {
  const limit = dependencies.limits.requestsPerMinute;
  if (limit === 0) return null;
  const { hits, resetsInSeconds } = await countHit(
    dependencies,
    kind === 'token' ? `token:key:${apiKeyId}` : `${kind}:${organizationId ?? `platform:${apiKeyId}`}`,
  );
  const whose = organizationId === null ? 'Your platform' : 'Your organization';
  return { whose, limit, remaining: limit - hits, resetsInSeconds };
}

/** Throws RATE_LIMITED when it was one too many. */
export function refuseTooMany({ whose, limit, remaining, resetsInSeconds }: RequestCount, kind: RequestKind): void {
  if (remaining >= 0) return;
  throw new SwitchboardError(
    'RATE_LIMITED',
    kind === 'token'
      ? `This key may ask for a token ${limit} times a minute. Keep a token until it ends. Try again in ${resetsInSeconds} s.`
      : `${whose} may ${kind} ${limit} times a minute. Try again in ${resetsInSeconds} s.`,
    { retryAfterSeconds: resetsInSeconds },
  );
}

interface HitCount {
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
