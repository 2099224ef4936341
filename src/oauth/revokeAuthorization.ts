import { LockMode } from '@mikro-orm/core';
import type { Database } from '../database/Database.js';
import type { Caller } from '../domain/Caller.js';
import { Connection } from '../domain/Connection.js';
import { Credential } from '../domain/Credential.js';
import { InputError } from '../domain/InputError.js';
import { parseId } from '../domain/parseId.js';
import { type ReleaseGrantDependencies, releaseGrant } from './releaseGrant.js';
import { supersedeAttempts } from './supersedeAttempts.js';

interface Dependencies extends ReleaseGrantDependencies {
  readonly database: Database;
}

/**
 * Gives a merchant's grant back: the tokens are erased here at once and revoked at the provider in the background.
 * The connection and its subscriptions stay, and wait for a new authorization. An exchange that is under way comes to nothing.
 * Throws an InputError: NOT_FOUND, INVALID (not an OAuth connection).
 */
export function revokeAuthorization(
  dependencies: Dependencies,
  caller: Caller,
  input: { connectionId: string },
): Promise<Connection> {
  return dependencies.database.transaction(async (em) => {
    const connection = await em.findOne(
      Connection,
      { id: parseId(input.connectionId) ?? 0, organizationId: caller.organizationId },
      { lockMode: LockMode.PESSIMISTIC_WRITE },
    );
    if (!connection) throw InputError.of('NOT_FOUND', 'There is no such connection.', 'connectionId');
    if (connection.type === 'webhook') {
      throw InputError.of('INVALID', 'A webhook connection has no authorization to revoke.', 'connectionId');
    }
    const now = new Date();
    await supersedeAttempts(em, connection.id, { underWayToo: true });
    await releaseGrant(dependencies, em, connection.id);
    // Whoever checks it next is told that there is no grant, not what was found a moment ago.
    await em.nativeUpdate(
      Credential,
      { connectionId: connection.id },
      { lastCheck: null, checkLeasedBy: null, checkLeasedUntil: null },
    );
    em.assign(connection, { status: 'pending_authorization', statusReason: 'The authorization was revoked.', updatedAt: now });
    await em.flush();
    return connection;
  });
}
