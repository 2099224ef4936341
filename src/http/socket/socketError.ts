import type { GraphQLError, GraphQLFormattedError } from 'graphql';
import type { Logger } from '../../domain/Logger.js';
import { formatError } from '../../graphql/errors/formatError.js';
import { toGraphQLError } from '../../graphql/errors/toGraphQLError.js';

/** An error as a websocket shows it: as in an answer to a POST, without the status that only such an answer has. */
export function socketError(error: GraphQLError, log: Logger): GraphQLFormattedError {
  const known = error.extensions.code === undefined && error.originalError ? toGraphQLError(error.originalError, log) : error;
  // What has a path was met by a field; what has none is wrong with the call, such as a variable of the wrong type.
  const code = known.extensions.code ?? (error.path ? 'INTERNAL_SERVER_ERROR' : 'BAD_USER_INPUT');
  const shown = { ...error.toJSON(), message: known.message, extensions: { ...known.extensions, code } };
  const formatted = formatError(log)(shown, error);
  const { http: _http, ...extensions } = formatted.extensions ?? {};
  return { ...formatted, extensions };
}
