import { randomUUID } from 'node:crypto';
import { HeaderMap } from '@apollo/server';
import { GraphQLError } from 'graphql';
import type { Logger } from '../../domain/Logger.js';
import { SwitchboardError } from '../../domain/SwitchboardError.js';

/**
 * The one place where a failure of a call becomes a GraphQL error, with `extensions.code` and the fitting HTTP status.
 * What nobody foresaw gets an id that the log knows, and shows nothing else.
 */
export function toGraphQLError(error: unknown, log: Logger): GraphQLError {
  if (error instanceof GraphQLError) return error;
  if (error instanceof SwitchboardError) {
    return new GraphQLError(error.message, {
      extensions: { code: error.code, http: { status: error.status, headers: headersFor(error) } },
    });
  }
  const id = randomUUID();
  log.error(
    { errorId: id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) },
    'A GraphQL call failed unexpectedly',
  );
  return new GraphQLError(`Something went wrong on our side. Tell support this id: ${id}`, {
    extensions: { code: 'INTERNAL_SERVER_ERROR', id, http: { status: 500 } },
  });
}

/** RFC 9110 11.6.1: a 401 names what would do. Not `Basic`, which makes browsers open a log-in dialog over the app. */
function headersFor(error: SwitchboardError): HeaderMap {
  return new HeaderMap(error.code === 'UNAUTHENTICATED' ? [['www-authenticate', 'Bearer realm="switchboard"']] : []);
}
