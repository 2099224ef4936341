import type { Delivery } from '../../domain/Delivery.js';
import type { Watch } from '../../live/Watch.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { requireConnection } from './requireConnection.js';

/** Deliveries of the caller's organization, or of one connection, as they change. Throws NOT_FOUND for one that is not theirs. */
export async function watchDeliveries(
  context: GraphQLContext,
  { connectionId }: { connectionId?: string | null },
): Promise<Watch<Delivery>> {
  const only = await requireConnection(context, connectionId);
  return context.dependencies.changes.watch(context.caller('read'), 'delivery', {
    wants: (delivery) => only === null || delivery.connectionId === only,
    admit: context.checkAgain,
  });
}
