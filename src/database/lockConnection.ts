import { LockMode } from '@mikro-orm/core';
import { type Caller, reachableConnection } from '../domain/Caller.js';
import { Connection } from '../domain/Connection.js';
import { InputError } from '../domain/errors.js';
import type { EntityManager } from './Database.js';

/**
 * The caller's connection, which nobody else can change, delete or give subscriptions to before the transaction ends.
 * @param field where the input names it, for the error.
 * Throws an InputError: NOT_FOUND, also for somebody else's.
 */
export async function lockConnection(
  em: EntityManager,
  caller: Caller,
  id: string,
  field: 'id' | 'connectionId',
): Promise<Connection> {
  const connection = await em.findOne(Connection, reachableConnection(caller, id), { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!connection) throw InputError.of('NOT_FOUND', 'There is no such connection.', field);
  return connection;
}
