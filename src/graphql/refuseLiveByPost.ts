import type { ApolloServerPlugin } from '@apollo/server';
import { OperationTypeNode } from 'graphql';
import { SwitchboardError } from '../domain/errors.js';
import type { Logger } from '../domain/Logger.js';
import type { GraphQLContext } from './GraphQLContext.js';
import { toGraphQLError } from './graphqlErrors.js';

const WHERE =
  'Live updates need a websocket: connect to this address with the graphql-transport-ws protocol (the package graphql-ws).';

/** Refuses live subscriptions over HTTP, whose single response cannot carry them, and names the websocket. */
export function refuseLiveByPost(log: Logger): ApolloServerPlugin<GraphQLContext> {
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ operation }) {
          if (operation?.operation !== OperationTypeNode.SUBSCRIPTION) return;
          throw toGraphQLError(new SwitchboardError('BAD_USER_INPUT', WHERE), log);
        },
      };
    },
  };
}
