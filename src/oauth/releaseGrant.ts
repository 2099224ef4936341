import { LockMode } from '@mikro-orm/core';
import type { Cipher } from '../database/Cipher.js';
import { columnIdentity } from '../database/columnIdentity.js';
import type { EntityManager } from '../database/Database.js';
import { Credential } from '../domain/Credential.js';
import type { Revocations } from './Revocations.js';

export interface ReleaseGrantDependencies {
  readonly cipher: Cipher;
  readonly revocations: Revocations;
}

/**
 * Erases a connection's tokens and queues their revocation, in the given transaction. The credential stays as the
 * memory of which account it was, so that re-authorizing can tell another account from the same one.
 */
export async function releaseGrant(
  { cipher, revocations }: ReleaseGrantDependencies,
  em: EntityManager,
  connectionId: number,
): Promise<void> {
  const credential = await em.findOne(Credential, { connectionId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!credential?.accessToken) return;
  const { provider, accountId = null, accessToken, refreshToken } = credential;
  const token = refreshToken
    ? ({ token: cipher.decrypt(refreshToken, columnIdentity.refreshToken(connectionId)), hint: 'refresh_token' } as const)
    : ({ token: cipher.decrypt(accessToken, columnIdentity.accessToken(connectionId)), hint: 'access_token' } as const);
  await revocations.add(em, { provider, accountId, ...token });
  em.assign(credential, {
    accessToken: null,
    refreshToken: null,
    scopes: [],
    refreshProblem: null,
    version: credential.version + 1,
  });
}
