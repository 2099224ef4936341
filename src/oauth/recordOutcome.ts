import { LockMode } from '@mikro-orm/core';
import type { Database } from '../database/Database.js';
import { Authorization } from '../domain/Authorization.js';
import { Connection } from '../domain/Connection.js';
import { explainOutcome } from './explainOutcome.js';

export interface FailedOutcome {
  readonly status: 'denied' | 'failed';
  readonly errorCode: string;
  /** For developers; what a merchant reads is `explainOutcome`. */
  readonly errorDescription: string | null;
}

/**
 * Stores how an attempt ended without a link. A connection that waits for its first authorization says why it still
 * does; one that is active stays so, since a failed attempt to re-authorize takes nothing away.
 */
export function recordOutcome(
  { database }: { database: Database },
  { id, connectionId }: Authorization,
  outcome: FailedOutcome,
  providerName: string,
): Promise<Authorization> {
  return database.transaction(async (em) => {
    // Connection first, attempt second, everywhere: a deletion locks them in this order too.
    const connection = connectionId ? await em.findOne(Connection, connectionId, { lockMode: LockMode.PESSIMISTIC_WRITE }) : null;
    const authorization = await em.findOneOrFail(Authorization, id, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (authorization.status !== 'pending') return authorization;
    em.assign(authorization, { ...outcome, codeVerifier: null, completedAt: new Date() });
    if (connection?.status === 'pending_authorization') {
      connection.statusReason =
        outcome.status === 'denied'
          ? 'The last authorization was denied.'
          : `The last authorization failed: ${explainOutcome(outcome, providerName)}`;
      connection.updatedAt = new Date();
    }
    await em.flush();
    return authorization;
  });
}
