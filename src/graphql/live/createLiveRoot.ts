import { GraphQLID, GraphQLNonNull, GraphQLObjectType, type GraphQLSchema } from 'graphql';
import { findConnection } from '../../connections/listConnections.js';
import type { Caller } from '../../domain/Caller.js';
import type { Connection } from '../../domain/Connection.js';
import type { Delivery } from '../../domain/Delivery.js';
import { SwitchboardError } from '../../domain/errors.js';
import type { Logger } from '../../domain/Logger.js';
import type { Deleted } from '../../live/ChangeFeed.js';
import type { Watch } from '../../live/Watch.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { toGraphQLError } from '../graphqlErrors.js';

type StartWatch<Args> = (context: GraphQLContext, args: Args) => Promise<AsyncIterable<unknown>>;

/** Returns the root for live updates. Each field yields an object of the caller whenever it is created, changed or deleted. */
export function createLiveRoot(schema: GraphQLSchema, log: Logger): GraphQLObjectType {
  const field = <Args>(
    type: GraphQLObjectType,
    watch: StartWatch<Args>,
    argument: string,
    about: { field: string; argument: string },
  ) => ({
    type: new GraphQLNonNull(type),
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
  const known = (name: string) => schema.getType(name) as GraphQLObjectType;
  return new GraphQLObjectType<unknown, GraphQLContext>({
    name: 'Live',
    description: 'Live updates over a websocket on /graphql (graphql-ws). Changes in quick succession are sent as one.',
    fields: {
      connectionUpdated: field(known('Connection'), watchConnections, 'id', {
        field: 'A connection, whenever it is created, authorized, refreshed or changed, or loses its grant.',
        argument: 'Id of a connection; all connections by default.',
      }),
      deliveryUpdated: field(known('Delivery'), watchDeliveries, 'connectionId', {
        field: 'A delivery, whenever it is created, attempted, held, released, cancelled or retried.',
        argument: 'Id of a connection; deliveries of all connections by default.',
      }),
      connectionDeleted: field(DeletedConnection, watchDeletedConnections, 'id', {
        field:
          'The id of a connection, when it is deleted. A session of this connection alone ends with it, and its websocket is closed instead.',
        argument: 'Id of a connection; all connections by default.',
      }),
      subscriptionDeleted: field(DeletedSubscription, watchDeletedSubscriptions, 'connectionId', {
        field: 'The id of a subscription, when it or its connection is deleted.',
        argument: 'Id of a connection; subscriptions of all connections by default.',
      }),
    },
  });
}

const DELETED_ID = {
  type: new GraphQLNonNull(GraphQLID),
  description: 'Id of the deleted object.',
  resolve: ({ id }: Deleted) => id,
};

const DeletedConnection = new GraphQLObjectType<Deleted, GraphQLContext>({
  name: 'DeletedConnection',
  description: 'A deleted connection. Its subscriptions are deleted with it.',
  fields: { deletedId: DELETED_ID },
});

const DeletedSubscription = new GraphQLObjectType<Deleted, GraphQLContext>({
  name: 'DeletedSubscription',
  description: 'A deleted subscription.',
  fields: {
    deletedId: DELETED_ID,
    connectionId: {
      type: new GraphQLNonNull(GraphQLID),
      description: 'Id of its connection, which may be deleted as well.',
    },
  },
});

/** Watches changes of the caller's connections, or of one of them. Throws NOT_FOUND for an unknown connection. */
async function watchConnections(context: GraphQLContext, { id }: { id?: string | null }): Promise<Watch<Connection>> {
  const caller = context.caller('read', 'connect');
  const only = await requireConnection(context, caller, id);
  return context.dependencies.changes.watch(caller, 'connection', {
    wants: (connection) => only === null || connection.id === only,
    admit: context.checkAgain,
  });
}

/** Watches changes of the caller's deliveries, or of those of one connection. Throws NOT_FOUND for an unknown connection. */
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

/** Watches deletions of the caller's connections, or of one of them. Throws NOT_FOUND for an unknown connection. */
async function watchDeletedConnections(context: GraphQLContext, { id }: { id?: string | null }): Promise<Watch<Deleted>> {
  const caller = context.caller('read', 'connect');
  const only = await requireConnection(context, caller, id);
  return context.dependencies.changes.watch(caller, 'connectionDeleted', {
    wants: (connection) => only === null || connection.id === only,
    admit: context.checkAgain,
  });
}

/** Watches deletions of the caller's subscriptions, or of those of one connection. Throws NOT_FOUND for an unknown connection. */
async function watchDeletedSubscriptions(
  context: GraphQLContext,
  { connectionId }: { connectionId?: string | null },
): Promise<Watch<Deleted>> {
  const caller = context.caller('read');
  const only = await requireConnection(context, caller, connectionId);
  return context.dependencies.changes.watch(caller, 'subscriptionDeleted', {
    wants: (subscription) => only === null || subscription.connectionId === only,
    admit: context.checkAgain,
  });
}

/** Returns the id of the connection that a watch is limited to; null without one. Throws NOT_FOUND. */
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
