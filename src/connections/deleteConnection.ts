import { LockMode } from '@mikro-orm/core';
import type { Database, EntityManager } from '../database/Database.js';
import { type Caller, reachableConnection } from '../domain/Caller.js';
import { Connection } from '../domain/Connection.js';
import { InputError } from '../domain/errors.js';

interface Dependencies {
  readonly database: Database;
  /** Queues the revocation of the connection's grant, if it has one, in the same transaction. */
  readonly releaseGrant: (em: EntityManager, connectionId: number) => Promise<void>;
  /** Cancels what it still had to deliver, in the same transaction; once it is gone, for a queue is in line with its connection. */
  readonly sweepQueue: (em: EntityManager, connectionId: number) => Promise<unknown>;
}

/**
 * Deletes a connection with its subscriptions (OpenAPI delete-connection). The provider's grant is revoked in the
 * background; this never waits for the provider. Throws an InputError: NOT_FOUND.
 */
export function deleteConnection(
  { database, releaseGrant, sweepQueue }: Dependencies,
  caller: Caller,
  input: { id: string },
): Promise<string> {
  return database.transaction(async (em) => {
    const connection = await em.findOne(Connection, reachableConnection(caller, input.id), {
      lockMode: LockMode.PESSIMISTIC_WRITE,
    });
    if (!connection) throw InputError.of('NOT_FOUND', 'There is no such connection.', 'id');
    const id = String(connection.id);
    await releaseGrant(em, connection.id);
    await em.flush();
    await em.nativeDelete(Connection, { id: connection.id });
    await sweepQueue(em, connection.id);
    return id;
  });
}
