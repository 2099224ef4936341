import { setTimeout as sleep } from 'node:timers/promises';
import { columnIdentity } from '../database/columnIdentity.js';
import { Credential } from '../domain/Credential.js';
import { type AccessToken, GrantLost } from './AccessToken.js';
import { ProviderError } from './ProviderError.js';
import { type RefreshDependencies, refreshCredential } from './refreshCredential.js';
import { takeRefreshLease } from './takeRefreshLease.js';

/** A token that has less than this to live is refreshed first, or less than this part of its life when that is shorter. */
const FRESH_FOR_MS = 5 * 60_000;
const FRESH_PART = 1 / 5;
const POLL_MS = 150;
/** Longer than a refresh may take. */
const WAIT_MS = 15_000;

/**
 * A good access token of a connection. One that is about to expire, or whose version the API has refused, is refreshed:
 * by one caller among all processes, since Postgres hands out the lease; the others wait, and read again before and after.
 * One that was just refreshed is handed out as it is, however short it lives.
 * Throws GrantLost, or a ProviderError (transient or configuration) when no good token is to be had at the moment.
 */
export async function getAccessToken(
  dependencies: RefreshDependencies,
  connectionId: number,
  refusedVersion?: number,
): Promise<AccessToken> {
  const deadline = Date.now() + WAIT_MS;
  for (;;) {
    const credential = await dependencies.database.em().findOne(Credential, { connectionId });
    if (!credential?.accessToken) throw new GrantLost('The connection has no grant.');
    const livesForMs = credential.expiresAt.getTime() - dependencies.now();
    const current = (): AccessToken => ({
      token: dependencies.cipher.decrypt(credential.accessToken as string, columnIdentity.accessToken(connectionId)),
      version: credential.version,
      accountId: credential.accountId ?? null,
    });
    const refused = credential.version === refusedVersion;
    if (livesForMs > freshForMs(credential) && !refused) return current();
    // Without a refresh token there is nothing to do but to use the access token up.
    if (!credential.refreshToken) {
      if (livesForMs > 0 && !refused) return current();
      await dependencies.declareGrantLost(credential, 'The access token has expired, and there is no refresh token.');
      throw new GrantLost('There is no refresh token.');
    }

    const lease = await takeRefreshLease(dependencies.database, credential);
    if (lease) {
      try {
        await refreshCredential(dependencies, lease);
        continue;
      } catch (error) {
        // A refresh ahead of time may fail: the token in hand is still good.
        if (error instanceof ProviderError && livesForMs > 0 && !refused) return current();
        throw error;
      }
    }
    const coolsDownForMs = credential.refreshLeasedBy ? 0 : (credential.refreshLeasedUntil?.getTime() ?? 0) - Date.now();
    if (coolsDownForMs > 0) {
      const justRefreshed = credential.refreshProblem === null;
      if ((livesForMs > 0 || justRefreshed) && !refused) return current();
      throw new ProviderError(
        'transient',
        'refresh_failed',
        credential.refreshProblem ?? 'The access token could not be refreshed just now.',
        Math.ceil(coolsDownForMs / 1000),
      );
    }
    if (Date.now() > deadline) throw new ProviderError('transient', 'refresh_pending', 'The access token is being refreshed.', 5);
    await sleep(POLL_MS);
  }
}

function freshForMs({ lifetimeSeconds }: Credential): number {
  return Math.min(FRESH_FOR_MS, (lifetimeSeconds ?? Number.POSITIVE_INFINITY) * 1_000 * FRESH_PART);
}
