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

/** The root for live updates: each field yields a thing of the caller's whenever it is new, has changed or is gone. */
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
    description: 'What can be watched, over a websocket on /graphql (graphql-ws). Changes in quick succession come as one.',
    fields: {
      connectionUpdated: field(known('Connection'), watchConnections, 'id', {
        field: 'A connection whenever it was created, authorized, refreshed, changed or lost its grant.',
        argument: 'This connection only.',
      }),
      deliveryUpdated: field(known('Delivery'), watchDeliveries, 'connectionId', {
        field: 'A delivery whenever it was created, tried, held, released, cancelled or asked to be tried again.',
        argument: 'Deliveries of this connection only.',
      }),
      connectionDeleted: field(DeletedConnection, watchDeletedConnections, 'id', {
        field: 'A connection that was deleted. A session that is for it alone ends with it instead, and its socket closes.',
        argument: 'This connection only.',
      }),
      subscriptionDeleted: field(DeletedSubscription, watchDeletedSubscriptions, 'connectionId', {
        field: 'A subscription that was deleted, by itself or with its connection.',
        argument: 'Subscriptions of this connection only.',
      }),
    },
  });
}

const DELETED_ID = {
  type: new GraphQLNonNull(GraphQLID),
  description: 'The id of what is gone.',
  resolve: ({ id }: Deleted) => id,
};

const DeletedConnection = new GraphQLObjectType<Deleted, GraphQLContext>({
  name: 'DeletedConnection',
  description: 'A connection that is gone, with its subscriptions.',
  fields: { deletedId: DELETED_ID },
});

const DeletedSubscription = new GraphQLObjectType<Deleted, GraphQLContext>({
  name: 'DeletedSubscription',
  description: 'A subscription that is gone.',
  fields: {
    deletedId: DELETED_ID,
    connectionId: {
      type: new GraphQLNonNull(GraphQLID),
      description: 'The connection that it belonged to, which may be gone too.',
    },
  },
});

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

/** Connections of the caller's organization, or one of them, as they go. Throws NOT_FOUND for an id that is not theirs. */
async function watchDeletedConnections(context: GraphQLContext, { id }: { id?: string | null }): Promise<Watch<Deleted>> {
  const caller = context.caller('read', 'connect');
  const only = await requireConnection(context, caller, id);
  return context.dependencies.changes.watch(caller, 'connectionDeleted', {
    wants: (connection) => only === null || connection.id === only,
    admit: context.checkAgain,
  });
}

/** Subscriptions of the caller's organization, or of one connection, as they go. Throws NOT_FOUND for one that is not theirs. */
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
