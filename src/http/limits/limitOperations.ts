import type { ApolloServerPlugin } from '@apollo/server';
import { OperationTypeNode } from 'graphql';
import type { AccessDependencies } from '../../access/AccessDependencies.js';
import { countRequest, refuseTooMany } from '../../access/countRequest.js';
import type { Logger } from '../../domain/Logger.js';
import { toGraphQLError } from '../../graphql/errors/toGraphQLError.js';
import type { GraphQLContext } from '../../graphql/GraphQLContext.js';
import { rateLimitHeaders } from './rateLimitHeaders.js';

/** Counts GraphQL operations against their organization's limit before any field runs: mutations as writes, the rest as reads. */
export function limitOperations(dependencies: AccessDependencies, log: Logger): ApolloServerPlugin<GraphQLContext> {
  return {
    async requestDidStart() {
      return {
        async didEncounterErrors({ operation, contextValue: { possibleCaller } }) {
          // A document that is refused as a whole never gets to be an operation: it counts all the same.
          if (!operation && possibleCaller) await countRequest(dependencies, possibleCaller, 'read').catch(() => null);
        },
        async didResolveOperation({ operation, contextValue: { possibleCaller }, response }) {
          if (!possibleCaller) return;
          const kind = operation?.operation === OperationTypeNode.MUTATION ? 'write' : 'read';
          try {
            const count = await countRequest(dependencies, possibleCaller, kind);
            if (!count) return;
            for (const [name, value] of Object.entries(rateLimitHeaders(count))) response.http.headers.set(name, value);
            refuseTooMany(count, kind);
          } catch (error) {
            throw toGraphQLError(error, log);
          }
        },
      };
    },
  };
}
