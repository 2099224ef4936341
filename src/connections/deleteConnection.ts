import { recordAudit } from '../database/auditLog.js';
import type { Database, EntityManager } from '../database/Database.js';
import { lockConnection } from '../database/lockConnection.js';
import type { Caller } from '../domain/Caller.js';
import { Connection } from '../domain/Connection.js';
import { auditFacts } from './createConnection.js';

interface Dependencies {
  readonly database: Database;
  /** Queues the revocation of the connection's grant, if it has one, in the same transaction. */
  readonly releaseGrant: (em: EntityManager, connectionId: number) => Promise<void>;
  /**
   * Cancels the connection's open deliveries in the same transaction. It is called after the deletion, because the queue
   * follows the connection's state.
   */
  readonly sweepQueue: (em: EntityManager, connectionId: number) => Promise<unknown>;
}

/**
 * Deletes a connection with its subscriptions (OpenAPI delete-connection). The provider's grant is revoked in the
 * background, so this never waits for the provider. Throws an InputError: NOT_FOUND.
 */
export function deleteConnection(
  { database, releaseGrant, sweepQueue }: Dependencies,
  caller: Caller,
  input: { id: string },
): Promise<string> {
  return database.transaction(async (em) => {
    const connection = await lockConnection(em, caller, input.id, 'id');
    const id = String(connection.id);
    await releaseGrant(em, connection.id);
    await em.flush();
    await em.nativeDelete(Connection, { id: connection.id });
    await sweepQueue(em, connection.id);
    const subject = ['connection', connection.id] as const;
    await recordAudit(em, caller, { action: 'connection_deleted', subject, before: auditFacts(connection) });
    return id;
  });
}
