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
  /** Sessions of one organization that live at the same time. */
  readonly sessionsPerOrganization: number;
  /** Of one session, reads and writes each; see `sessionLimit`. */
  readonly sessionRequestsPerMinute: number;
}

/** What it takes to find out who calls. */
export interface AccessDependencies {
  readonly database: Database;
  readonly limits: AccessLimits;
}

/** Tokens are counted by key: whoever asks for too many takes nothing from the organization's other keys. */
type RequestKind = 'read' | 'write' | 'token';

/** How an organization, a platform, a key or a session stands with its limit after a request. */
export interface RequestCount {
  readonly of: 'organization' | 'platform' | 'session' | 'key';
  readonly limit: number;
  /** In this minute, after this one; negative for those that are too many. */
  readonly remaining: number;
  readonly resetsInSeconds: number;
}

/**
 * Counts a request of an organization, whoever acts for it, or of a platform that acts for none, reads and writes apart; or a
 * token of a key. Null when there is no limit. A session has a smaller limit of its own besides, and what that refuses uses up
 * nothing of its organization's: the one is told that is closer to its end.
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

/** Of one session, reads and writes each: at most a quarter of what its organization may, so that one stolen browser takes no more. */
function sessionLimit({ requestsPerMinute, sessionRequestsPerMinute: own }: AccessLimits): number {
  const share = Math.ceil(requestsPerMinute / 4);
  if (share === 0 || own === 0) return Math.max(share, own);
  return Math.min(share, own);
}

/** Throws RATE_LIMITED when it was one too many. */
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
