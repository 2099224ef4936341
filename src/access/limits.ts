import { sql } from 'kysely';
import type { Database } from '../database/Database.js';
import type { Caller, Platform } from '../domain/Caller.js';
import { SwitchboardError } from '../domain/errors.js';

/** Limits of callers. The limits per minute are off when they are 0. */
interface AccessLimits {
  /** Requests of one organization; reads and writes are counted separately. */
  readonly requestsPerMinute: number;
  /** Wrong credentials from one address. */
  readonly failedLoginsPerMinute: number;
  /** Valid access tokens of one key. */
  readonly accessTokensPerKey: number;
  /** Valid sessions of one organization. */
  readonly sessionsPerOrganization: number;
  /** Requests of one session; reads and writes are counted separately. See `sessionLimit`. */
  readonly sessionRequestsPerMinute: number;
}

/** What identifying and counting callers needs. */
export interface AccessDependencies {
  readonly database: Database;
  readonly limits: AccessLimits;
}

/** Tokens are counted by key, so that one key cannot use up the organization's limit for its other keys. */
type RequestKind = 'read' | 'write' | 'token';

/** The state of a rate limit after a request: of an organization, a platform, a key or a session. */
export interface RequestCount {
  readonly of: 'organization' | 'platform' | 'session' | 'key';
  readonly limit: number;
  /** Requests left in this minute. Negative when there were too many. */
  readonly remaining: number;
  readonly resetsInSeconds: number;
}

/**
 * Counts a request of an organization, whoever acts for it, or of a platform that acts for none, with separate counts for
 * reads and writes; or a token of a key. Returns null when there is no limit. A session also has a smaller limit of its own.
 * A request that exceeds it does not count for the organization. Returned is the limit that has less left.
 */
export async function countRequest(
  dependencies: AccessDependencies,
  { organizationId, apiKeyId, session }: Caller | Platform,
  kind: RequestKind,
): Promise<RequestCount | null> {
  const count = async (of: RequestCount['of'], key: string, limit: number): Promise<RequestCount | null> => {
    if (limit === 0) return null;
    const { hits, resetsInSeconds } = await countHit(dependencies, key);
    return { of, limit, remaining: limit - hits, resetsInSeconds };
  };
  const { requestsPerMinute: limit } = dependencies.limits;
  if (kind === 'token') return count('key', `token:key:${apiKeyId}`, limit);
  if (organizationId === null) return count('platform', `${kind}:platform:${apiKeyId}`, limit);
  const own = session && (await count('session', `${kind}:session:${session.id}`, sessionLimit(dependencies.limits)));
  if (own && own.remaining < 0) return own;
  const shared = await count('organization', `${kind}:${organizationId}`, limit);
  return own && (!shared || own.remaining < shared.remaining) ? own : shared;
}

/**
 * Returns the limit of one session, for reads and writes each: at most a quarter of the organization's, so that one stolen
 * session cannot use up more.
 */
function sessionLimit({ requestsPerMinute, sessionRequestsPerMinute: own }: AccessLimits): number {
  const share = Math.ceil(requestsPerMinute / 4);
  if (share === 0 || own === 0) return Math.max(share, own);
  return Math.min(share, own);
}

/** Throws RATE_LIMITED when a request has exceeded its limit. */
export function refuseTooMany({ of, limit, remaining, resetsInSeconds }: RequestCount, kind: RequestKind): void {
  if (remaining >= 0) return;
  const who = of === 'session' ? 'This session' : `Your ${of}`;
  throw new SwitchboardError(
    'RATE_LIMITED',
    kind === 'token'
      ? `This key may ask for a token ${limit} times a minute. Keep a token until it ends. Try again in ${resetsInSeconds} s.`
      : `${who} may ${kind} ${limit} times a minute. Try again in ${resetsInSeconds} s.`,
    { retryAfterSeconds: resetsInSeconds },
  );
}

interface HitCount {
  /** Hits in this minute, including this one. */
  readonly hits: number;
  readonly resetsInSeconds: number;
}

/**
 * Counts a hit in a window of one minute that begins with its first hit. One statement updates one row, so that all
 * processes share one count. A chore deletes old rows.
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
 * Deletes counts whose minute is over, idempotency keys after 24 hours, and access tokens a day after their end. Until then
 * an expired token is told apart from a guessed one. Returns the number of deleted rows.
 */
export async function sweepAccess({ database }: { database: Database }): Promise<number> {
  const counts = await sql`delete from rate_limits where resets_at < now()`.execute(database.sql());
  const tokens = await sql`delete from access_tokens where expires_at < now() - interval '1 day'`.execute(database.sql());
  const kept = await sql`delete from idempotent_requests where expires_at < now()`.execute(database.sql());
  return [counts, tokens, kept].reduce((sum, { numAffectedRows }) => sum + Number(numAffectedRows ?? 0n), 0);
}
