import { GraphQLID, GraphQLNonNull, GraphQLObjectType, type GraphQLSchema } from 'graphql';
import type { Logger } from '../../domain/Logger.js';
import { toGraphQLError } from '../errors/toGraphQLError.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { watchConnections } from './watchConnections.js';
import { watchDeliveries } from './watchDeliveries.js';

type Watch<Args> = (context: GraphQLContext, args: Args) => Promise<AsyncIterable<unknown>>;

/** The root for live updates: each field yields a thing of the caller's whenever it is new or has changed. */
export function createLiveRoot(schema: GraphQLSchema, log: Logger): GraphQLObjectType {
  const field = <Args>(typeName: string, watch: Watch<Args>, argument: string, about: { field: string; argument: string }) => ({
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
