import { LockMode } from '@mikro-orm/core';
import type { Database } from '../database/Database.js';
import { Connection } from '../domain/Connection.js';
import { Credential } from '../domain/Credential.js';
import type { GrantNotices } from './GrantNotices.js';

interface Dependencies {
  readonly database: Database;
  readonly notices: GrantNotices;
}

/**
 * Declares a grant dead, after a last look: a race between two refreshers must not read as death. Returns false, and
 * changes nothing, when the credential has a newer version than the one that failed. Deliveries are held, none is lost.
 */
export function declareGrantLost(
  { database, notices }: Dependencies,
  { connectionId, version }: Pick<Credential, 'connectionId' | 'version'>,
  reason: string,
): Promise<boolean> {
  return database.transaction(async (em) => {
    const connection = await em.findOne(Connection, { id: connectionId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    const credential = await em.findOne(Credential, { connectionId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (!connection || credential?.version !== version) return false;
    em.assign(credential, {
      accessToken: null,
      refreshToken: null,
      scopes: [],
      version: version + 1,
      refreshLeasedBy: null,
      refreshLeasedUntil: null,
      refreshProblem: null,
    });
    // One that was turned off stays off; turning it on again will find that it has no grant.
    if (connection.status !== 'active') {
      await em.flush();
      return true;
    }
    em.assign(connection, { status: 'reauthorization_required', statusReason: reason, updatedAt: new Date() });
    await em.flush();
    await notices.reauthorizationRequired(em, connection);
    return true;
  });
}
