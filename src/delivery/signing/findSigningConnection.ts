import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '../../database/Database.js';
import type { Caller } from '../../domain/Caller.js';
import { Connection } from '../../domain/Connection.js';
import { InputError } from '../../domain/InputError.js';
import { parseId } from '../../domain/parseId.js';

/** The caller's webhook connection, locked. Throws an InputError: NOT_FOUND, or INVALID for what is not signed. */
export async function findSigningConnection(em: EntityManager, caller: Caller, connectionId: string): Promise<Connection> {
  const connection = await em.findOne(
    Connection,
    { id: parseId(connectionId) ?? 0, organizationId: caller.organizationId },
    { lockMode: LockMode.PESSIMISTIC_WRITE },
  );
  if (!connection) throw InputError.of('NOT_FOUND', 'There is no such connection.', 'connectionId');
  if (connection.type !== 'webhook') {
    throw InputError.of('INVALID', 'Only webhook connections have a signing secret.', 'connectionId');
  }
  return connection;
}
