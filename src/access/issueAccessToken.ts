import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Database } from '../database/Database.js';
import type { ApiKeyScope } from '../domain/ApiKey.js';
import type { Caller } from '../domain/Caller.js';
import { hashSecret } from '../domain/hashSecret.js';

/** Seconds; one less than the hour that the row lives, so that nobody holds a token for longer than it works. */
export const ACCESS_TOKEN_LIFETIME_SECONDS = 3_599;

/** The scope that stands for everything a key may do. */
export const API_SCOPE = 'api';

export interface IssuedAccessToken {
  /** `at_` and 256 bits, base64url. Shown once; only its hash is stored. */
  readonly accessToken: string;
  readonly scopes: readonly ApiKeyScope[];
}

/**
 * Gives a key an access token (RFC 6749 4.4) for some of its scopes. Tokens of the key that ran out a day ago go: until
 * then, whoever comes with one is told apart from somebody who guesses.
 */
export async function issueAccessToken(
  { database }: { database: Database },
  caller: Caller,
  scopes: readonly ApiKeyScope[],
): Promise<IssuedAccessToken> {
  const accessToken = `at_${randomBytes(32).toString('base64url')}`;
  await database
    .sql()
    .with('old', (query) =>
      query
        .deleteFrom('access_tokens')
        .where('api_key_id', '=', String(caller.apiKeyId))
        .where('expires_at', '<', sql<Date>`now() - interval '1 day'`),
    )
    .insertInto('access_tokens')
    .values({
      token_hash: hashSecret(accessToken),
      api_key_id: String(caller.apiKeyId),
      scopes: [...scopes],
      expires_at: sql<Date>`now() + interval '1 hour'`,
    })
    .execute();
  return { accessToken, scopes };
}
