import { GraphQLID, GraphQLNonNull, GraphQLObjectType, type GraphQLSchema } from 'graphql';
import { findConnection } from '../../connections/listConnections.js';
import type { Caller } from '../../domain/Caller.js';
import type { Connection } from '../../domain/Connection.js';
import type { Delivery } from '../../domain/Delivery.js';
import { SwitchboardError } from '../../domain/errors.js';
import type { Logger } from '../../domain/Logger.js';
import type { Watch } from '../../live/Watch.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { toGraphQLError } from '../graphqlErrors.js';

type StartWatch<Args> = (context: GraphQLContext, args: Args) => Promise<AsyncIterable<unknown>>;

/** The root for live updates: each field yields a thing of the caller's whenever it is new or has changed. */
export function createLiveRoot(schema: GraphQLSchema, log: Logger): GraphQLObjectType {
  const field = <Args>(
    typeName: string,
    watch: StartWatch<Args>,
    argument: string,
    about: { field: string; argument: string },
  ) => ({
    type: new GraphQLNonNull(schema.getType(typeName) as GraphQLObjectType),
    description: about.field,
    args: { [argument]: { type: GraphQLID, description: about.argument } },
    async subscribe(_root: unknown, args: Args, context: GraphQLContext) {
      try {
        return await watch(context, args);
      } catch (error) {
        throw toGraphQLError(error, log);
      }
    },
    resolve(row: unknown, _args: Args, context: GraphQLContext) {
      context.readAnew();
      return row;
    },
  });
  return new GraphQLObjectType<unknown, GraphQLContext>({
    name: 'Live',
    description: 'What can be watched, over a websocket on /graphql (graphql-ws). Changes in quick succession come as one.',
    fields: {
      connectionUpdated: field('Connection', watchConnections, 'id', {
        field: 'A connection whenever it was created, authorized, refreshed, changed or lost its grant.',
        argument: 'This connection only.',
      }),
      deliveryUpdated: field('Delivery', watchDeliveries, 'connectionId', {
        field: 'A delivery whenever it was created, tried, held, released, cancelled or asked to be tried again.',
        argument: 'Deliveries of this connection only.',
      }),
    },
  });
}

/** Connections of the caller's organization, or one of them, as they change. Throws NOT_FOUND for an id that is not theirs. */
async function watchConnections(context: GraphQLContext, { id }: { id?: string | null }): Promise<Watch<Connection>> {
  const caller = context.caller('read', 'connect');
  const only = await requireConnection(context, caller, id);
  return context.dependencies.changes.watch(caller, 'connection', {
    wants: (connection) => only === null || connection.id === only,
    admit: context.checkAgain,
  });
}

/** Deliveries of the caller's organization, or of one connection, as they change. Throws NOT_FOUND for one that is not theirs. */
async function watchDeliveries(
  context: GraphQLContext,
  { connectionId }: { connectionId?: string | null },
): Promise<Watch<Delivery>> {
  const caller = context.caller('read');
  const only = await requireConnection(context, caller, connectionId);
  return context.dependencies.changes.watch(caller, 'delivery', {
    wants: (delivery) => only === null || delivery.connectionId === only,
    admit: context.checkAgain,
  });
}

/** The connection that a watch is limited to; null when it is not. Throws NOT_FOUND. */
async function requireConnection(
  { dependencies }: GraphQLContext,
  caller: Caller,
  id: string | null | undefined,
): Promise<number | null> {
  if (id === undefined || id === null) return null;
  const connection = await findConnection(dependencies, caller, id);
  if (!connection) throw new SwitchboardError('NOT_FOUND', 'There is no such connection.');
  return connection.id;
}
