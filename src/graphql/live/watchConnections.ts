import type { Connection } from '../../domain/Connection.js';
import type { Watch } from '../../live/Watch.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { requireConnection } from './requireConnection.js';

/** Connections of the caller's organization, or one of them, as they change. Throws NOT_FOUND for an id that is not theirs. */
export async function watchConnections(context: GraphQLContext, { id }: { id?: string | null }): Promise<Watch<Connection>> {
  const only = await requireConnection(context, id);
  return context.dependencies.changes.watch(context.caller('read'), 'connection', {
    wants: (connection) => only === null || connection.id === only,
    admit: context.checkAgain,
  });
}
