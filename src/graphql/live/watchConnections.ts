import { Connection } from '../../domain/Connection.js';
import type { Watch } from '../../live/Watch.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { requireConnection } from './requireConnection.js';

/** Connections of the caller's organization, or one of them, as they change. Throws NOT_FOUND for an id that is not theirs. */
export async function watchConnections(context: GraphQLContext, { id }: { id?: string | null }): Promise<Watch<Connection>> {
  const caller = context.caller('read');
  const only = await requireConnection(context, id);
  const { changes, database } = context.dependencies;
  return changes.watch(caller, 'connection', async (ids) => {
    const wanted = ids.map(Number).filter((changed) => only === null || changed === only);
    if (wanted.length === 0) return [];
    await context.checkAgain();
    return database
      .em()
      .find(Connection, { id: { $in: wanted }, organizationId: caller.organizationId }, { orderBy: { id: 'asc' } });
  });
}
