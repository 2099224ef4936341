import { randomUUID } from 'node:crypto';
import { HeaderMap } from '@apollo/server';
import { GraphQLError, type GraphQLFormattedError, locatedError } from 'graphql';
import { type DatabaseTrouble, databaseTrouble } from '../database/databaseTrouble.js';
import { type ErrorCode, SwitchboardError } from '../domain/errors.js';
import type { Logger } from '../domain/Logger.js';

export interface CallError {
  readonly error: SwitchboardError;
  /** Finds the error in the log; set when nobody foresaw it. */
  readonly id: string | null;
}

interface Told {
  readonly code: ErrorCode;
  readonly message: string;
  /** What the log says, for an operator. */
  readonly logged: string;
  readonly retryAfterSeconds: number;
}

const SOON = 'Try again in a few seconds.';

/** What is said of each trouble with the database: the true reason, since each is mended in another way. */
const TOLD: Readonly<Record<DatabaseTrouble, Told>> = {
  unreachable: {
    code: 'SERVICE_UNAVAILABLE',
    message: `The database can not be reached at the moment. ${SOON}`,
    logged: 'The database can not be reached',
    retryAfterSeconds: 5,
  },
  too_many_clients: {
    code: 'SERVICE_UNAVAILABLE',
    message: `The database has too many clients at the moment and takes no more connections. ${SOON}`,
    logged: 'The database takes no more connections: lower DATABASE_POOL_SIZE, run fewer processes, or raise its max_connections',
    retryAfterSeconds: 5,
  },
  busy: {
    code: 'SERVICE_UNAVAILABLE',
    message: `All database connections of this server are busy at the moment. ${SOON}`,
    logged: 'All connections of the pool were busy for too long: raise DATABASE_POOL_SIZE, or run more processes',
    retryAfterSeconds: 5,
  },
  full: {
    code: 'STORAGE_FULL',
    message: 'The database has no room left, so nothing was stored. What is there can still be read.',
    logged: 'The database has no room left',
    retryAfterSeconds: 30,
  },
  read_only: {
    code: 'SERVICE_UNAVAILABLE',
    message: `The database takes no changes at the moment, so nothing was stored. ${SOON}`,
    logged: 'The database takes no changes: it is a standby, or guards its last room',
    retryAfterSeconds: 30,
  },
};

/**
 * What a caller, by whatever transport, is told of a failure. What nobody foresaw goes to the log with an id, and the
 * caller sees the id and nothing else.
 */
export function toCallError(error: unknown, log: Logger): CallError {
  if (error instanceof SwitchboardError) return { error, id: null };
  const trouble = databaseTrouble(error);
  if (trouble) {
    const { code, message, logged, retryAfterSeconds } = TOLD[trouble];
    log.error({ error: String(error), trouble }, logged);
    return { error: new SwitchboardError(code, message, { retryAfterSeconds }), id: null };
  }
  const id = randomUUID();
  log.error(
    { errorId: id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) },
    'A call failed unexpectedly',
  );
  return {
    error: new SwitchboardError('INTERNAL_SERVER_ERROR', `Something went wrong on our side. Tell support this id: ${id}`),
    id,
  };
}

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

/**
 * The headers that belong to an error: what would do instead of these credentials (RFC 9110 11.6.1, RFC 6750 3), when to
 * come again (10.2.3), which methods there are (10.2.1). The challenge is never `Basic`, which makes browsers open a
 * log-in dialog over the app.
 */
export function errorHeaders({ code, facts }: SwitchboardError): Record<string, string> {
  const headers: Record<string, string> = {};
  if (code === 'UNAUTHENTICATED' || facts.bearerError) {
    const parts = ['realm="switchboard"'];
    if (facts.bearerError) parts.push(`error="${facts.bearerError}"`);
    if (facts.scope) parts.push(`scope="${facts.scope}"`);
    headers['www-authenticate'] = `Bearer ${parts.join(', ')}`;
  }
  if (facts.retryAfterSeconds !== undefined) headers['retry-after'] = String(facts.retryAfterSeconds);
  if (facts.allow) headers.allow = facts.allow.join(', ');
  return headers;
}
