import { HeaderMap } from '@apollo/server';
import { GraphQLError, type GraphQLFormattedError, locatedError } from 'graphql';
import type { Logger } from '../domain/Logger.js';
import { errorHeaders, toCallError } from '../errors/toCallError.js';

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
    return { ...formatted, message: withoutValues(formatted.message, literalOf(error)) };
  };
}

/** Characters of a message: names in it can be as long as a caller likes. */
const MOST_CHARACTERS = 500;

/** Sentences of graphql-js that quote a value of the document; each with the part that says what is wanted. */
const QUOTING: readonly (readonly [RegExp, string])[] = [
  [/^Value [\s\S]* does not exist in ("\w+") enum\.[\s\S]*$/, 'It is no value of the enum $1.'],
  [/^Enum ("\w+") cannot represent [\s\S]*$/, 'It is no value of the enum $1.'],
  [/^(\w+) cannot represent [\s\S]*$/, '$1 cannot represent this value.'],
  [/^(Expected value of type "[^"]{1,100}"),? (?:found|but)[\s\S]*$/, '$1.'],
  [/^(Argument "\w+" has invalid value) [\s\S]*$/, '$1.'],
  [/^(Syntax Error: Expected [^,]{1,100}), found [\s\S]*$/, '$1.'],
  [/^(Syntax Error: Unexpected \w+) [\s\S]*$/, '$1.'],
  [/^Unknown operation named [\s\S]*$/, 'The document has no operation of that name.'],
];

/** The text or number in the document that an error is about. */
function literalOf(error: unknown): string | undefined {
  const [node] = (error as Partial<GraphQLError>).nodes ?? [];
  return node && 'value' in node && typeof node.value === 'string' ? node.value : undefined;
}

/** The message without what was sent, which may be a secret, or huge. Variables are checked before graphql-js sees them. */
function withoutValues(message: string, literal = ''): string {
  const [pattern, replacement] = QUOTING.find(([quoting]) => quoting.test(message)) ?? [];
  if (!pattern && literal !== '' && message.includes(literal)) return 'The value is not what the schema wants there.';
  const said = pattern && replacement ? message.replace(pattern, replacement) : message;
  return said.length > MOST_CHARACTERS ? `${said.slice(0, MOST_CHARACTERS - 1)}…` : said;
}
