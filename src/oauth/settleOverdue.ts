import type { Database } from '../database/Database.js';
import type { Authorization } from '../domain/Authorization.js';
import { expireAuthorization } from './expireAuthorization.js';
import { INTERRUPTED_AFTER_MS, recordInterruption } from './waitForOutcome.js';

/**
 * Gives an attempt the outcome that time has decided, so that it can be read though no browser ever came back:
 * expired when nobody took its state, interrupted when whoever took it has crashed. Returns it as it is then.
 */
export function settleOverdue(
  dependencies: { database: Database },
  authorization: Authorization,
): Promise<Authorization> | Authorization {
  const { id, status, consumedAt, expiresAt } = authorization;
  if (status !== 'pending') return authorization;
  if (consumedAt) {
    const crashed = consumedAt.getTime() < Date.now() - INTERRUPTED_AFTER_MS;
    return crashed ? recordInterruption(dependencies, authorization) : authorization;
  }
  return expiresAt.getTime() <= Date.now() ? expireAuthorization(dependencies, id) : authorization;
}
