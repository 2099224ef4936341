import { LockMode } from '@mikro-orm/core';
import type { Cipher } from '../database/Cipher.js';
import { columnIdentity } from '../database/columnIdentity.js';
import type { EntityManager } from '../database/Database.js';
import { Credential } from '../domain/Credential.js';
import type { Revocation, Revocations } from './Revocations.js';

export interface ReleaseGrantDependencies {
  readonly cipher: Cipher;
  readonly revocations: Revocations;
}

/**
 * A merchant who chose another account may do so again at once, on purpose this time. Revoking removes the app from the
 * whole account, so it waits until that is over; then the account is in use, and is left alone.
 */
export const SECOND_THOUGHTS_SECONDS = 60;

/**
 * Erases a connection's tokens and queues their revocation, in the given transaction. The credential stays as the
 * memory of which account it was, so that re-authorizing can tell another account from the same one.
 */
export async function releaseGrant(
  { cipher, revocations }: ReleaseGrantDependencies,
  em: EntityManager,
  connectionId: number,
  /** What is known better than the credential does: whose grant it is, and how long to wait first. */
  known: Partial<Pick<Revocation, 'accountId' | 'afterSeconds'>> = {},
): Promise<void> {
  const credential = await em.findOne(Credential, { connectionId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!credential?.accessToken) return;
  const { provider, accountId = null, accessToken, refreshToken } = credential;
  const token = refreshToken
    ? ({ token: cipher.decrypt(refreshToken, columnIdentity.refreshToken(connectionId)), hint: 'refresh_token' } as const)
    : ({ token: cipher.decrypt(accessToken, columnIdentity.accessToken(connectionId)), hint: 'access_token' } as const);
  await revocations.add(em, { provider, accountId, ...token, ...known });
  em.assign(credential, {
    accessToken: null,
    refreshToken: null,
    scopes: [],
    refreshProblem: null,
    version: credential.version + 1,
  });
}
