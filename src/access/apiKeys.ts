import { randomBytes } from 'node:crypto';
import { LockMode } from '@mikro-orm/core';
import { recordAudit } from '../database/auditLog.js';
import type { Database, EntityManager } from '../database/Database.js';
import { type Page, type PageArguments, paginate } from '../database/paginate.js';
import { API_KEY_SCOPES, ApiKey, type ApiKeyScope, TOKEN_SCOPES } from '../domain/ApiKey.js';
import type { Caller } from '../domain/Caller.js';
import { InputError, ProblemList } from '../domain/errors.js';
import { parseId } from '../domain/ids.js';
import { Organization } from '../domain/Organization.js';
import { hashSecret } from '../domain/secrets.js';

export interface KeyPair {
  readonly apiKeyId: number;
  readonly publicKey: string;
  /** Shown once; only its hash is stored. */
  readonly secretKey: string;
}

interface NewApiKey {
  readonly organizationId: number;
  readonly name?: string | null;
  /** All but `admin` by default. */
  readonly scopes?: readonly ApiKeyScope[];
  readonly oauthOnly?: boolean;
}

/** Adds a key pair to an organization: `pk_` and 128 bits, `sk_` and 256 bits, base64url. */
export async function addApiKey({ em }: { em: EntityManager }, key: NewApiKey): Promise<KeyPair> {
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

interface CreateApiKeyInput {
  readonly name?: string | null;
  /** The caller's own scopes but `admin` by default. */
  readonly scopes?: readonly ApiKeyScope[] | null;
  readonly oauthOnly?: boolean | null;
}

interface CreatedApiKey {
  readonly apiKey: ApiKey;
  /** Shown once; only its hash is stored. */
  readonly secretKey: string;
}

const MAX_NAME_LENGTH = 200;

/**
 * Creates a key of the caller's organization, which can do at most what the caller can. Throws an InputError: FORBIDDEN,
 * REQUIRED, INVALID.
 */
export async function createApiKey(
  { database }: { database: Database },
  caller: Caller,
  input: CreateApiKeyInput,
): Promise<CreatedApiKey> {
  const problems = new ProblemList();
  const name = input.name?.trim() || null;
  if (name && (name.length > MAX_NAME_LENGTH || /\p{Cc}/u.test(name))) {
    problems.add('INVALID', `A name is one line of at most ${MAX_NAME_LENGTH} characters.`, 'name');
  }
  if (input.scopes?.length === 0) problems.add('REQUIRED', 'A key needs at least one scope.', 'scopes');
  if (input.scopes && input.scopes.length > API_KEY_SCOPES.length) {
    throw InputError.of('MAX_VALUE', `There are ${API_KEY_SCOPES.length} scopes: name each once at most.`, 'scopes');
  }
  if (input.oauthOnly && input.scopes?.includes('admin')) {
    problems.add('INVALID', 'A key for access tokens only can not have "admin": a token never has it.', 'scopes');
  }
  input.scopes?.forEach((scope, index) => {
    if (caller.scopes.has(scope)) return;
    problems.add('FORBIDDEN', `You can not give the scope "${scope}": you do not have it yourself.`, 'scopes', String(index));
  });
  problems.throwIfAny();
  const wanted = new Set<ApiKeyScope>(input.scopes ?? TOKEN_SCOPES.filter((scope) => caller.scopes.has(scope)));
  if (wanted.size === 0)
    throw InputError.of('REQUIRED', 'Name the scopes of the key: you have none but "admin" yourself.', 'scopes');
  const { organizationId } = caller;
  return database.transaction(async (em) => {
    const scopes = API_KEY_SCOPES.filter((scope) => wanted.has(scope));
    const created = await addApiKey({ em }, { organizationId, name, scopes, oauthOnly: input.oauthOnly ?? false });
    const apiKey = await em.findOneOrFail(ApiKey, created.apiKeyId);
    await recordAudit(em, caller, { action: 'api_key_created', subject: ['api_key', apiKey.id], after: auditFacts(apiKey) });
    return { apiKey, secretKey: created.secretKey };
  });
}

/** Returns what the audit log stores about a key. */
function auditFacts({ name, publicKey, scopes, oauthOnly }: ApiKey) {
  return { name, publicKey, scopes, oauthOnly };
}

/** Revokes a key at once, in every process. Returns false when no valid key has this public key. */
export async function endApiKey({ database }: { database: Database }, publicKey: string): Promise<boolean> {
  return (await database.em().nativeUpdate(ApiKey, { publicKey, revokedAt: null }, { revokedAt: new Date() })) === 1;
}

/**
 * Revokes a key of the caller's organization with its access tokens, at once in every process. Revoking it again changes
 * nothing. The last key with `admin` is refused, because without one the organization could never create another, and only
 * an operator could help. Throws an InputError: NOT_FOUND, CONFLICT.
 */
export function revokeApiKey(
  { database }: { database: Database },
  caller: Caller,
  input: { readonly id: string },
): Promise<ApiKey> {
  const { organizationId } = caller;
  return database.transaction(async (em) => {
    // The lock serializes two callers, so that they cannot revoke the last two keys at the same time.
    await em.findOneOrFail(Organization, organizationId, { lockMode: LockMode.PESSIMISTIC_WRITE });
    const key = await em.findOne(ApiKey, { id: parseId(input.id) ?? 0, organizationId });
    if (!key) throw InputError.of('NOT_FOUND', 'There is no such API key.', 'id');
    if (key.revokedAt) return key;
    if (key.scopes.includes('admin')) {
      const others = await em.find(ApiKey, { organizationId, revokedAt: null, id: { $ne: key.id } });
      if (!others.some(({ scopes }) => scopes.includes('admin'))) {
        throw InputError.of('CONFLICT', 'It is the last key with the scope "admin": create another one first.', 'id');
      }
    }
    key.revokedAt = new Date();
    await em.flush();
    await recordAudit(em, caller, { action: 'api_key_revoked', subject: ['api_key', key.id], before: auditFacts(key) });
    return key;
  });
}

/** Lists the keys of the caller's organization, newest first, revoked ones included, without their secrets. */
export function listApiKeys(
  { database }: { database: Database },
  { organizationId }: Pick<Caller, 'organizationId'>,
  args: PageArguments,
): Promise<Page<ApiKey>> {
  return paginate(database.em(), ApiKey, 'apiKeys', { organizationId }, args);
}
