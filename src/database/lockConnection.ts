import { LockMode } from '@mikro-orm/core';
import { type Caller, reachableConnection } from '../domain/Caller.js';
import { Connection } from '../domain/Connection.js';
import { InputError } from '../domain/errors.js';
import type { EntityManager } from './Database.js';

/**
 * Returns the caller's connection, locked: no other transaction can change it, delete it or add subscriptions to it until this
 * one ends.
 * @param field the connection's field in the input, for the error.
 * Throws an InputError: NOT_FOUND, also for another organization's connection.
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
