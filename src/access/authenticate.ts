import type { Database } from '../database/Database.js';
import type { ApiKeyScope } from '../domain/ApiKey.js';
import type { Caller } from '../domain/Caller.js';
import { hashSecret } from '../domain/hashSecret.js';
import { SwitchboardError } from '../domain/SwitchboardError.js';
import { secretsEqual } from '../domain/secretsEqual.js';

/** Compared against when the public key is unknown, so that both kinds of wrong take the same time. */
const NOBODY = hashSecret('nobody has this secret');

const WRONG_CREDENTIALS = 'The API key is wrong or was revoked. Send "Authorization: Basic base64(publicKey:secretKey)".';

/**
 * Finds out who calls from the `Authorization` header (RFC 7617 Basic, public key as user name).
 * Returns null when there is no header; throws UNAUTHENTICATED when there is one that is not good.
 * Every call reads the key from Postgres, so a revoked key stops working at once in every process.
 */
export async function authenticate({ database }: { database: Database }, header: string | undefined): Promise<Caller | null> {
  if (header === undefined || header === '') return null;
  const basic = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(header);
  if (!basic?.[1]) throw new SwitchboardError('UNAUTHENTICATED', WRONG_CREDENTIALS);
  const [publicKey = '', secret = ''] = Buffer.from(basic[1], 'base64').toString('utf8').split(/:(.*)/s);
  // Ours look like this; Postgres would not even take a NUL.
  if (!/^[\w-]{1,100}$/.test(publicKey)) throw new SwitchboardError('UNAUTHENTICATED', WRONG_CREDENTIALS);

  const row = await database
    .sql()
    .selectFrom('api_keys')
    .select(['id', 'organization_id', 'secret_hash', 'scopes', 'last_used_at'])
    .where('public_key', '=', publicKey)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  const matches = secretsEqual(hashSecret(secret), row?.secret_hash ?? NOBODY);
  if (!row || !matches) throw new SwitchboardError('UNAUTHENTICATED', WRONG_CREDENTIALS);
  return {
    organizationId: Number(row.organization_id),
    apiKeyId: Number(row.id),
    scopes: new Set(row.scopes as ApiKeyScope[]),
  };
}
