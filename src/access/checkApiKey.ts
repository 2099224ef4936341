import type { ApiKeyScope } from '../domain/ApiKey.js';
import type { Caller } from '../domain/Caller.js';
import { hashSecret } from '../domain/hashSecret.js';
import { secretsEqual } from '../domain/secretsEqual.js';
import type { AccessDependencies } from './AccessDependencies.js';
import { noteUse, useIsStale } from './noteUse.js';
import type { BasicCredentials } from './readBasicCredentials.js';
import { refuseCredentials, wrongCredentials } from './refuseCredentials.js';

/** Compared against when the public key is unknown, so that both kinds of wrong take the same time. */
const NOBODY = hashSecret('nobody has this secret');

/** What our public keys look like; Postgres would not even take a NUL. */
const PUBLIC_KEY = /^[\w-]{1,100}$/;

export interface CheckedApiKey extends Caller {
  readonly oauthOnly: boolean;
}

/**
 * Whose keys these are. Read from Postgres every time, so that a revoked key stops working at once in every process.
 * Throws UNAUTHENTICATED, or RATE_LIMITED for an address that guesses.
 */
export async function checkApiKey(
  dependencies: AccessDependencies,
  { publicKey, secret }: BasicCredentials,
  address: string,
): Promise<CheckedApiKey> {
  if (!PUBLIC_KEY.test(publicKey)) return refuseCredentials(dependencies, address);
  const row = await dependencies.database
    .sql()
    .selectFrom('api_keys')
    .select(['id', 'organization_id', 'secret_hash', 'scopes', 'oauth_only', 'revoked_at'])
    .select(useIsStale.as('use_is_stale'))
    .where('public_key', '=', publicKey)
    .executeTakeFirst();
  const matches = secretsEqual(hashSecret(secret), row?.secret_hash ?? NOBODY);
  if (!row || !matches) return refuseCredentials(dependencies, address);
  // Whoever still has its secret is not guessing.
  if (row.revoked_at) throw wrongCredentials();
  await noteUse(dependencies, row);
  return {
    organizationId: Number(row.organization_id),
    apiKeyId: Number(row.id),
    scopes: new Set(row.scopes as ApiKeyScope[]),
    oauthOnly: row.oauth_only,
  };
}
