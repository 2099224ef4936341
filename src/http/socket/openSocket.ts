import { randomBytes } from 'node:crypto';
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
  parse,
  specifiedRules,
  type ValidationRule,
  validate,
} from 'graphql';
import type { Server } from 'graphql-ws';
import type { WebSocket } from 'ws';
import { requireCredentials } from '../../access/authenticate.js';
import type { AccessDependencies } from '../../access/limits.js';
import { type Credentials, identify } from '../../access/platform.js';
import type { Caller, Platform } from '../../domain/Caller.js';
import { SwitchboardError } from '../../domain/errors.js';
import type { Logger } from '../../domain/Logger.js';
import { formatError, toGraphQLError } from '../../graphql/graphqlErrors.js';
import type { Turn } from '../limits/FairTurns.js';
import { checkNames } from '../limits/limitDocuments.js';
import { checkJson } from '../limits/takeJson.js';

/** Milliseconds between two pings. A peer that does not answer one before the next is disconnected. */
const PING_MS = 15_000;
/** Maximum bytes that wait to be sent to a peer that does not read. Beyond that, the peer is disconnected. */
const MOST_UNREAD = 4 * 1024 * 1024;
/** Types of the messages that a client may send (graphql-transport-ws). */
const CLIENT_MESSAGES = new Set<unknown>(['connection_init', 'ping', 'pong', 'subscribe', 'complete']);

/** The state of a socket. */
interface SocketExtra {
  readonly socket: WebSocket;
}

interface SocketHooks {
  /** Waits for the turn of a message of this many bytes. Throws RATE_LIMITED. */
  readonly enter: (bytes: number) => Promise<Turn>;
  /** Called with each ping that we send. */
  readonly onPing: () => Promise<void>;
  readonly onClose: () => void;
}

/** Connects a websocket to the protocol's server. */
export function openSocket<Extra extends SocketExtra>(
  server: Server<Extra>,
  extra: Extra,
  { enter, onPing, onClose }: SocketHooks,
  log: Logger,
): void {
  const { socket } = extra;
  const isOpen = (): boolean => socket.readyState === socket.OPEN;
  const failed = (error: unknown): void => {
    if (!isOpen()) return;
    log.error(
      { error: error instanceof Error ? (error.stack ?? error.message) : String(error) },
      'A websocket failed unexpectedly',
    );
    socket.close(4500, 'Internal server error');
  };
  const send = (message: string): Promise<void> =>
    new Promise((resolve) => {
      if (socket.bufferedAmount > MOST_UNREAD) {
        socket.terminate();
        resolve();
        return;
      }
      // An error for a closed socket is ignored. Its `close` event ends the operations.
      socket.send(message, () => resolve());
    });
  /** Messages that wait for their turn. */
  let unread = 0;
  const closed = server.opened(
    {
      protocol: socket.protocol,
      send,
      close: (code, reason) => socket.close(code, reason),
      onMessage: (receive) =>
        socket.on('message', (data: Buffer) => {
          const read = async (): Promise<void> => {
            // The peer's further messages wait while this one does.
            unread += 1;
            socket.pause();
            const turn = await enter(data.length).finally(() => {
              unread -= 1;
              if (unread === 0) socket.resume();
            });
            try {
              if (!isOpen()) return;
              const message = String(data);
              if (!mayBeSent(message)) return socket.close(4400, 'Not a message of graphql-transport-ws');
              // The message is parsed before this returns. Its operation waits for a turn of its own.
              receive(message).catch(failed);
            } finally {
              turn.leave();
            }
          };
          read().catch((error) => {
            if (error instanceof SwitchboardError) socket.close(4429, 'Too many messages');
            else failed(error);
          });
        }),
      // The pong has no payload, because the peer's own may be large.
      onPing: () => send('{"type":"pong"}'),
    },
    extra,
  );
  let asked: string | undefined;
  const pings = setInterval(() => {
    if (asked !== undefined) return socket.terminate();
    asked = randomBytes(8).toString('hex');
    socket.ping(asked);
    onPing().catch(failed);
  }, PING_MS);
  socket.on('pong', (data) => {
    if (String(data) === asked) asked = undefined;
  });
  // A frame was malformed or too large. The package ws has closed the socket with the right code.
  socket.on('error', () => {});
  socket.once('close', (code, reason) => {
    clearInterval(pings);
    onClose();
    Promise.resolve(closed(code, String(reason))).catch(failed);
  });
}

function mayBeSent(message: string): boolean {
  try {
    checkJson(Buffer.from(message));
    return CLIENT_MESSAGES.has((JSON.parse(message) as { type?: unknown } | null)?.type);
  } catch {
    return false;
  }
}

/** Milliseconds for which checked credentials are not checked again. */
const FRESH_MS = 1_000;

/** The caller of a websocket. The credentials can end while the socket is open, so they are checked repeatedly. */
export class SocketCaller {
  #checkedAt = Number.NEGATIVE_INFINITY;
  #caller: Promise<Caller | Platform> | undefined;

  constructor(
    private readonly dependencies: AccessDependencies,
    private readonly credentials: Credentials,
    private readonly address: string,
  ) {}

  /** Returns the caller. Throws UNAUTHENTICATED for missing or invalid credentials, and what `identify` throws. */
  current(): Promise<Caller | Platform> {
    const now = performance.now();
    if (this.#caller === undefined || now - this.#checkedAt > FRESH_MS) {
      this.#checkedAt = now;
      this.#caller = identify(this.dependencies, this.credentials, this.address).then(requireCredentials);
      this.#caller.catch(() => {});
    }
    return this.#caller;
  }
}

type Results = AsyncGenerator<unknown, unknown, unknown>;

/**
 * The running operations of one websocket. The protocol's server finds an operation by the id that the client chose, and can
 * lose one when the client reuses its id. Here each is kept until it ends.
 */
export class RunningOperations {
  readonly #running = new Set<Results>();

  get size(): number {
    return this.#running.size;
  }

  /** Returns the same results, and keeps the operation until they end. */
  remember<Result>(results: AsyncGenerator<Result, void, void>): AsyncGenerator<Result, void, void> {
    const ended = (): void => void this.#running.delete(results as Results);
    this.#running.add(results as Results);
    const watched: AsyncGenerator<Result, void, void> = {
      async next() {
        try {
          const result = await results.next();
          if (result.done) ended();
          return result;
        } catch (error) {
          ended();
          throw error;
        }
      },
      return(value) {
        ended();
        return results.return(value);
      },
      throw(error) {
        ended();
        return results.throw(error);
      },
      [Symbol.asyncIterator]: () => watched,
      async [Symbol.asyncDispose]() {
        await watched.return();
      },
    };
    return watched;
  }

  /** Ends all operations. */
  end(): void {
    for (const results of this.#running) void results.return(undefined);
    this.#running.clear();
  }
}

interface OperationRules {
  readonly schema: GraphQLSchema;
  readonly validationRules: readonly ValidationRule[];
  readonly maxTokens: number;
}

/** Parses and validates a document by the same rules as a POST. Returns the document, or its errors. */
export function readOperation(
  query: string,
  { schema, validationRules, maxTokens }: OperationRules,
): DocumentNode | readonly GraphQLError[] {
  let document: DocumentNode;
  try {
    checkNames(query, maxTokens);
    document = parse(query, { maxTokens });
  } catch (error) {
    if (error instanceof GraphQLError) return [withCode(error, 'GRAPHQL_PARSE_FAILED')];
    if (error instanceof SwitchboardError) return [new GraphQLError(error.message, { extensions: { code: error.code } })];
    throw error;
  }
  try {
    const errors = validate(schema, document, [...specifiedRules, ...validationRules]);
    return errors.length > 0 ? errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED')) : document;
  } catch (error) {
    // A rule for a limit throws its error, so that validation stops there.
    if (error instanceof GraphQLError) return [withCode(error, 'GRAPHQL_VALIDATION_FAILED')];
    throw error;
  }
}

function withCode(error: GraphQLError, code: string): GraphQLError {
  const { message, nodes, source, positions, path, originalError, extensions } = error;
  return new GraphQLError(message, { nodes, source, positions, path, originalError, extensions: { ...extensions, code } });
}

/** Formats an error for a websocket: as in the response to a POST, but without an HTTP status. */
export function socketError(error: GraphQLError, log: Logger): GraphQLFormattedError {
  const known = error.extensions.code === undefined && error.originalError ? toGraphQLError(error.originalError, log) : error;
  // An error with a path occurred in a field. One without a path is about the call, such as a variable of the wrong type.
  const code = known.extensions.code ?? (error.path ? 'INTERNAL_SERVER_ERROR' : 'BAD_USER_INPUT');
  const shown = { ...error.toJSON(), message: known.message, extensions: { ...known.extensions, code } };
  const formatted = formatError(log)(shown, error);
  const { http: _http, ...extensions } = formatted.extensions ?? {};
  return { ...formatted, extensions };
}
