import { HeaderMap } from '@apollo/server';
import { GraphQLError } from 'graphql';
import type { Logger } from '../../domain/Logger.js';
import { errorHeaders } from './errorHeaders.js';
import { toCallError } from './toCallError.js';

/** The one place where a failure of a call becomes a GraphQL error, with `extensions.code` and the fitting HTTP status. */
export function toGraphQLError(failure: unknown, log: Logger): GraphQLError {
  if (failure instanceof GraphQLError) return failure;
  const { error, id } = toCallError(failure, log);
  return new GraphQLError(error.message, {
    extensions: {
      code: error.code,
      ...(id ? { id } : {}),
      http: { status: error.status, headers: new HeaderMap(Object.entries(errorHeaders(error))) },
    },
  });
}
