import { LockMode } from '@mikro-orm/core';
import type { Database } from '../database/Database.js';
import { ApiKey } from '../domain/ApiKey.js';
import type { Caller } from '../domain/Caller.js';
import { InputError } from '../domain/InputError.js';
import { Organization } from '../domain/Organization.js';
import { parseId } from '../domain/parseId.js';

/**
 * Ends a key of the caller's organization, with its access tokens, at once in every process. Ending it again changes
 * nothing. The last key with `admin` is refused: an organization without one could never make another, and only an
 * operator could help. Throws an InputError: NOT_FOUND, CONFLICT.
 */
export function withdrawApiKey(
  { database }: { database: Database },
  caller: Caller,
  input: { readonly id: string },
): Promise<ApiKey> {
  const { organizationId } = caller;
  return database.transaction(async (em) => {
    // The lock makes two callers take turns, so that they don't end each other's last key.
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
    return key;
  });
}
