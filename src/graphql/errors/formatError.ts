import { type GraphQLError, type GraphQLFormattedError, locatedError } from 'graphql';
import type { Logger } from '../../domain/Logger.js';
import { toGraphQLError } from './toGraphQLError.js';

/**
 * The last look at an error before it leaves, for those that graphql-js and Apollo make by themselves: what nobody foresaw
 * shows an id and nothing else, and a value that was sent is not sent back, since it may hold a secret.
 */
export function formatError(log: Logger): (formatted: GraphQLFormattedError, error: unknown) => GraphQLFormattedError {
  return (formatted, error) => {
    const { code, id } = formatted.extensions ?? {};
    if (code === 'INTERNAL_SERVER_ERROR' && id === undefined) {
      const { nodes, path } = error as Partial<GraphQLError>;
      const hidden = toGraphQLError(new Error(formatted.message, { cause: error }), log);
      const { message, extensions, locations } = locatedError(hidden, nodes, path).toJSON();
      return { message, locations, path, extensions: { code: extensions?.code, id: extensions?.id } };
    }
    return code === 'BAD_USER_INPUT' ? { ...formatted, message: withoutValue(formatted.message) } : formatted;
  };
}

/** `Variable "$x" got invalid value {…} at "x.url"; …`, as graphql-js says it, with the value left out. */
function withoutValue(message: string): string {
  const [, variable, before = '', reason] = /^(Variable "\$\w+") got invalid value ([\s\S]*); ([\s\S]*)$/.exec(message) ?? [];
  if (variable === undefined) return message;
  const place = / at "[\w.[\]]+"$/.exec(before)?.[0] ?? '';
  return `${variable} got an invalid value${place}; ${reason}`;
}
