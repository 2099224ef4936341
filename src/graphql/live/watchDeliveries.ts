import { Delivery } from '../../domain/Delivery.js';
import type { Watch } from '../../live/Watch.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { requireConnection } from './requireConnection.js';

/** Deliveries of the caller's organization, or of one connection, as they change. Throws NOT_FOUND for one that is not theirs. */
export async function watchDeliveries(
  context: GraphQLContext,
  { connectionId }: { connectionId?: string | null },
): Promise<Watch<Delivery>> {
  const caller = context.caller('read');
  const only = await requireConnection(context, connectionId);
  const { changes, database } = context.dependencies;
  return changes.watch(caller, 'delivery', async (ids) => {
    await context.checkAgain();
    const where = { id: { $in: [...ids] }, organizationId: caller.organizationId };
    return database.em().find(Delivery, only === null ? where : { ...where, connectionId: only }, { orderBy: { id: 'asc' } });
  });
}
