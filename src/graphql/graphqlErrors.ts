import { HeaderMap } from '@apollo/server';
import { GraphQLError, type GraphQLFormattedError, locatedError } from 'graphql';
import type { Logger } from '../domain/Logger.js';
import { errorHeaders, toCallError } from '../errors/toCallError.js';

/** Converts a failure of a call to a GraphQL error with `extensions.code` and the matching HTTP status. */
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

/**
 * Returns a function that formats errors of graphql-js and Apollo: an unexpected error shows only an id, and no message repeats a
 * value of the call, because it may be a secret.
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
    return { ...formatted, message: withoutValues(formatted.message, literalOf(error)) };
  };
}

/** Maximum characters of a message, because a caller can send names of any length. */
const MOST_CHARACTERS = 500;

/** Sentences of graphql-js that quote a value of the document, each with a replacement without the value. */
const QUOTING: readonly (readonly [RegExp, string])[] = [
  [/^Value [\s\S]* does not exist in ("\w+") enum\.[\s\S]*$/, 'The value is not one of the enum $1.'],
  [/^Enum ("\w+") cannot represent [\s\S]*$/, 'The value is not one of the enum $1.'],
  [/^(\w+) cannot represent [\s\S]*$/, '$1 cannot represent this value.'],
  [/^(Expected value of type "[^"]{1,100}"),? (?:found|but)[\s\S]*$/, '$1.'],
  [/^(Argument "\w+" has invalid value) [\s\S]*$/, '$1.'],
  [/^(Syntax Error: Expected [^,]{1,100}), found [\s\S]*$/, '$1.'],
  [/^(Syntax Error: Unexpected \w+) [\s\S]*$/, '$1.'],
  [/^Unknown operation named [\s\S]*$/, 'The document has no operation with this name.'],
];

/** Returns the string or number in the document that an error is about. */
function literalOf(error: unknown): string | undefined {
  const [node] = (error as Partial<GraphQLError>).nodes ?? [];
  return node && 'value' in node && typeof node.value === 'string' ? node.value : undefined;
}

/**
 * Returns the message without the values of the call, which may be secret or huge. Variables are checked before graphql-js reads
 * them.
 */
function withoutValues(message: string, literal = ''): string {
  const [pattern, replacement] = QUOTING.find(([quoting]) => quoting.test(message)) ?? [];
  if (!pattern && literal !== '' && message.includes(literal)) return 'The value does not match the schema.';
  const said = pattern && replacement ? message.replace(pattern, replacement) : message;
  return said.length > MOST_CHARACTERS ? `${said.slice(0, MOST_CHARACTERS - 1)}…` : said;
}
