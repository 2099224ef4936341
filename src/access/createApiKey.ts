import { randomBytes } from 'node:crypto';
import type { EntityManager } from '../database/Database.js';
import { ApiKey, type ApiKeyScope, TOKEN_SCOPES } from '../domain/ApiKey.js';
import { hashSecret } from '../domain/hashSecret.js';

export interface CreatedApiKey {
  readonly apiKeyId: number;
  readonly publicKey: string;
  /** Shown once; only its hash is stored. */
  readonly secretKey: string;
}

export interface NewApiKey {
  readonly organizationId: number;
  readonly name?: string | null;
  /** All but `admin` when not given. */
  readonly scopes?: readonly ApiKeyScope[];
  readonly oauthOnly?: boolean;
}

/** Adds a key pair to an organization: `pk_` and 128 bits, `sk_` and 256 bits, base64url. */
export async function createApiKey({ em }: { em: EntityManager }, key: NewApiKey): Promise<CreatedApiKey> {
  const publicKey = `pk_${randomBytes(16).toString('base64url')}`;
  const secretKey = `sk_${randomBytes(32).toString('base64url')}`;
  const row = em.create(ApiKey, {
    organizationId: key.organizationId,
    name: key.name ?? null,
    publicKey,
    secretHash: hashSecret(secretKey),
    scopes: [...(key.scopes ?? TOKEN_SCOPES)],
    oauthOnly: key.oauthOnly ?? false,
    createdAt: new Date(),
  });
  await em.flush();
  return { apiKeyId: row.id, publicKey, secretKey };
}
