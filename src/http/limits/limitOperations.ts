import { type ApolloServerPlugin, type GraphQLResponse, HeaderMap } from '@apollo/server';
import { OperationTypeNode } from 'graphql';
import { countRequest } from '../../access/countRequest.js';
import type { Logger } from '../../domain/Logger.js';
import { MOST_PROBLEMS } from '../../domain/ProblemList.js';
import { formatError } from '../../graphql/errors/formatError.js';
import { toGraphQLError } from '../../graphql/errors/toGraphQLError.js';
import type { GraphQLContext } from '../../graphql/GraphQLContext.js';
import { admitOperation, type Rules } from './admitOperation.js';
import { rateLimitHeaders } from './rateLimitHeaders.js';

/** Answers about the schema that are kept for those without credentials, by their question. */
const MOST_KEPT = 20;
/** Characters of a question that is worth keeping; tools ask in some 2,000. */
const MOST_KEPT_LENGTH = 10_000;

type Answer = Extract<GraphQLResponse['body'], { kind: 'single' }>['singleResult'];

/** Admits GraphQL operations before any field runs, and sees to it that an answer stays within its bounds. */
export function limitOperations(rules: Rules, log: Logger): ApolloServerPlugin<GraphQLContext> {
  const { dependencies } = rules;
  const kept = new Map<string, Answer>();
  return {
    async requestDidStart() {
      return {
        async didEncounterErrors({ operation, contextValue: { possibleCaller } }) {
          // A document that is refused as a whole never gets to be an operation: it counts all the same.
          if (!operation && possibleCaller) await countRequest(dependencies, possibleCaller, 'read').catch(() => null);
        },
        async didResolveOperation({ document, operation, request, contextValue, response }) {
          const { possibleCaller, transport } = contextValue;
          if (!operation) return;
          try {
            const variables = request.variables ?? {};
            const cost = await admitOperation(
              rules,
              { document, operation, variables },
              possibleCaller,
              transport.address,
              (count) => {
                for (const [name, value] of Object.entries(rateLimitHeaders(count))) response.http.headers.set(name, value);
              },
            );
            transport.onCost?.(cost);
          } catch (error) {
            throw toGraphQLError(error, log);
          }
        },
        async responseForOperation({ source, request, contextValue }) {
          const singleResult = contextValue.possibleCaller ? undefined : kept.get(keyOf(source, request.operationName));
          return singleResult ? { http: { headers: new HeaderMap() }, body: { kind: 'single', singleResult } } : null;
        },
        async willSendResponse({ source, request, operation, contextValue, response }) {
          if (response.body.kind !== 'single') return;
          const { singleResult } = response.body;
          const { exceeded } = contextValue.budget;
          if (exceeded) {
            const error = toGraphQLError(exceeded, log);
            // What a mutation changed stays changed: it keeps what it could tell of it.
            if (operation?.operation !== OperationTypeNode.MUTATION) delete singleResult.data;
            singleResult.errors = [formatError(log)(error.toJSON(), error)];
            delete (singleResult.errors[0] as { extensions: Record<string, unknown> }).extensions.http;
            response.http.status = exceeded.status;
          } else if (singleResult.errors && singleResult.errors.length > MOST_PROBLEMS) {
            singleResult.errors = singleResult.errors.slice(0, MOST_PROBLEMS);
          }
          // Who has no credentials can ask for nothing but the schema, which is the same for everybody.
          const isWorthKeeping =
            source !== undefined && source.length <= MOST_KEPT_LENGTH && !operation?.variableDefinitions?.length;
          if (contextValue.possibleCaller || !operation || singleResult.errors || !isWorthKeeping) return;
          const [oldest] = kept.size >= MOST_KEPT ? kept.keys() : [];
          if (oldest !== undefined) kept.delete(oldest);
          kept.set(keyOf(source, request.operationName), singleResult);
        },
      };
    },
  };
}

function keyOf(source: string | undefined, operationName: string | null | undefined): string {
  return `${operationName ?? ''}:${source}`;
}
