import type { Database } from '../database/Database.js';
import { API_KEY_SCOPES, ApiKey, type ApiKeyScope, TOKEN_SCOPES } from '../domain/ApiKey.js';
import type { Caller } from '../domain/Caller.js';
import { InputError } from '../domain/InputError.js';
import { ProblemList } from '../domain/ProblemList.js';
import { createApiKey } from './createApiKey.js';

export interface GrantApiKeyInput {
  readonly name?: string | null;
  /** Those of the caller but `admin` when not given. */
  readonly scopes?: readonly ApiKeyScope[] | null;
  readonly oauthOnly?: boolean | null;
}

export interface GrantedApiKey {
  readonly apiKey: ApiKey;
  /** Shown once; only its hash is stored. */
  readonly secretKey: string;
}

const MAX_NAME_LENGTH = 200;

/** Adds a key to the caller's organization, which can do at most what the caller can. Throws an InputError: FORBIDDEN, REQUIRED, INVALID. */
export async function grantApiKey(
  { database }: { database: Database },
  caller: Caller,
  input: GrantApiKeyInput,
): Promise<GrantedApiKey> {
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
    const created = await createApiKey({ em }, { organizationId, name, scopes, oauthOnly: input.oauthOnly ?? false });
    return { apiKey: await em.findOneOrFail(ApiKey, created.apiKeyId), secretKey: created.secretKey };
  });
}
