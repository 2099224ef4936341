import { sql } from 'kysely';
import { type ApiKeyScope, TOKEN_SCOPES } from '../domain/ApiKey.js';
import type { Caller } from '../domain/Caller.js';
import { hashSecret } from '../domain/hashSecret.js';
import type { AccessDependencies } from './AccessDependencies.js';
import { noteUse, useIsStale } from './noteUse.js';
import { refuseCredentials, wrongCredentials } from './refuseCredentials.js';

/**
 * Whom an access token speaks for. It is looked up by its hash, which says nothing about the tokens there are, and is
 * as good as its key: revoking that ends it at once. Throws UNAUTHENTICATED (`invalid_token`, RFC 6750 3.1), or
 * RATE_LIMITED for an address that guesses.
 */
export async function checkAccessToken(dependencies: AccessDependencies, token: string, address: string): Promise<Caller> {
  const row = await dependencies.database
    .sql()
    .selectFrom('access_tokens')
    .innerJoin('api_keys', 'api_keys.id', 'access_tokens.api_key_id')
    .select(['api_keys.id', 'organization_id', sql<boolean>`revoked_at is not null or expires_at <= now()`.as('ended')])
    .select(useIsStale.as('use_is_stale'))
    .select(['api_keys.scopes as key_scopes', 'access_tokens.scopes as token_scopes'])
    .where('token_hash', '=', hashSecret(token))
    .executeTakeFirst();
  if (!row) return refuseCredentials(dependencies, address, { bearerError: 'invalid_token' });
  if (row.ended) throw wrongCredentials({ bearerError: 'invalid_token' });
  await noteUse(dependencies, row);
  return {
    organizationId: Number(row.organization_id),
    apiKeyId: Number(row.id),
    scopes: new Set<ApiKeyScope>(
      TOKEN_SCOPES.filter((scope) => row.token_scopes.includes(scope) && row.key_scopes.includes(scope)),
    ),
  };
}
