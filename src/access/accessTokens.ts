import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Database } from '../database/Database.js';
import type { ApiKeyScope } from '../domain/ApiKey.js';
import type { Caller } from '../domain/Caller.js';
import { SwitchboardError } from '../domain/errors.js';
import { hashSecret } from '../domain/secrets.js';
import type { AccessDependencies } from './limits.js';

/** Seconds. One less than the hour that the row is valid, so that a client never keeps a token that no longer works. */
export const ACCESS_TOKEN_LIFETIME_SECONDS = 3_599;

/** The scope that stands for everything that an access token of a key may do. */
export const API_SCOPE = 'api';

interface IssuedAccessToken {
  /** `at_` and 256 bits, base64url. Shown once; only its hash is stored. */
  readonly accessToken: string;
  readonly scopes: readonly ApiKeyScope[];
}

/**
 * Issues an access token for some of a key's scopes (RFC 6749 4.4). The number of valid tokens of a key is limited. The lock
 * on the key makes concurrent requests count one after another. Throws RATE_LIMITED.
 */
export function issueAccessToken(
  { database, limits }: AccessDependencies,
  caller: Caller,
  scopes: readonly ApiKeyScope[],
): Promise<IssuedAccessToken> {
  const accessToken = `at_${randomBytes(32).toString('base64url')}`;
  const most = limits.accessTokensPerKey;
  return database.transaction(async (em) => {
    const db = database.sql(em);
    await sql`select from api_keys where id = ${caller.apiKeyId} for no key update`.execute(db);
    const { rows } = await sql<{ living: number; wait: number }>`
      select count(*)::int as living, ceil(extract(epoch from min(expires_at) - now()))::int as wait
      from access_tokens where api_key_id = ${caller.apiKeyId} and expires_at > now()`.execute(db);
    const { living = 0, wait = 0 } = rows[0] ?? {};
    if (living >= most) {
      throw new SwitchboardError(
        'RATE_LIMITED',
        `This key has ${living} access tokens that still work, and may have ${most}. Use one until it ends, or end some at POST /oauth2/revoke. The oldest ends in ${wait} s.`,
        { retryAfterSeconds: Math.max(1, wait) },
      );
    }
    await sql`
      insert into access_tokens (token_hash, api_key_id, scopes, expires_at)
      values (${hashSecret(accessToken)}, ${caller.apiKeyId}, ${sql.val(scopes)}::text[], now() + interval '1 hour')`.execute(db);
    return { accessToken, scopes };
  });
}

/**
 * Revokes an access token at once, in every process, if it was issued to this key (RFC 7009 2.1). The caller is not told
 * whether the token existed.
 */
export async function revokeAccessToken({ database }: { database: Database }, caller: Caller, token: string): Promise<void> {
  await sql`
    update access_tokens set expires_at = least(expires_at, now())
    where token_hash = ${hashSecret(token)} and api_key_id = ${caller.apiKeyId}`.execute(database.sql());
}
