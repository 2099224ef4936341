import { findConnection } from '../../connections/findConnection.js';
import { SwitchboardError } from '../../domain/SwitchboardError.js';
import type { GraphQLContext } from '../GraphQLContext.js';

/** The connection that a watch is limited to; null when it is not. Throws NOT_FOUND. */
export async function requireConnection(context: GraphQLContext, id: string | null | undefined): Promise<number | null> {
  if (id === undefined || id === null) return null;
  const connection = await findConnection(context.dependencies, context.caller('read'), id);
  if (!connection) throw new SwitchboardError('NOT_FOUND', 'There is no such connection.');
  return connection.id;
}
