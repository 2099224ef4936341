import type { ApolloServerPlugin } from '@apollo/server';
import { Kind } from 'graphql';
import type { Logger } from '../domain/Logger.js';
import { toGraphQLError } from './errors/toGraphQLError.js';
import type { GraphQLContext } from './GraphQLContext.js';

/** Turns a call without credentials away as a whole, with 401, before any field runs. Introspection is open: the schema is no secret. */
export function requireCaller(log: Logger): ApolloServerPlugin<GraphQLContext> {
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ operation, contextValue }) {
          const introspects = operation?.selectionSet.selections.every(
            (selection) => selection.kind === Kind.FIELD && selection.name.value.startsWith('__'),
          );
          if (introspects) return;
          try {
            contextValue.assertCaller();
          } catch (error) {
            throw toGraphQLError(error, log);
          }
        },
      };
    },
  };
}
