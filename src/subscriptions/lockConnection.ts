import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '../database/Database.js';
import type { Caller } from '../domain/Caller.js';
import { Connection } from '../domain/Connection.js';
import { InputError } from '../domain/InputError.js';
import { parseId } from '../domain/parseId.js';

/**
 * The caller's connection, which nobody can delete, or give subscriptions to, before the transaction ends.
 * Throws an InputError: NOT_FOUND.
 */
export async function lockConnection(em: EntityManager, caller: Caller, connectionId: string): Promise<Connection> {
  const connection = await em.findOne(
    Connection,
    { id: parseId(connectionId) ?? 0, organizationId: caller.organizationId },
    { lockMode: LockMode.PESSIMISTIC_WRITE },
  );
  if (!connection) throw InputError.of('NOT_FOUND', 'There is no such connection.', 'connectionId');
  return connection;
}
