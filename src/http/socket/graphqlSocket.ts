import type { FastifyInstance, FastifyRequest } from 'fastify';
import {
  type ExecutionArgs,
  execute,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  OperationTypeNode,
  type ValidationRule,
} from 'graphql';
import { type Context, makeServer } from 'graphql-ws';
import type { WebSocket } from 'ws';
import { countRequest, refuseTooMany } from '../../access/limits.js';
import { type Credentials, ORGANIZATION_HEADER } from '../../access/platform.js';
import { databaseTrouble } from '../../database/databaseTrouble.js';
import { MOST_PROBLEMS, SwitchboardError } from '../../domain/errors.js';
import { toCallError } from '../../errors/toCallError.js';
import { GraphQLContext } from '../../graphql/GraphQLContext.js';
import { toGraphQLError } from '../../graphql/graphqlErrors.js';
import { ChangesLost } from '../../live/Watch.js';
import type { UseCaseDependencies } from '../../UseCaseDependencies.js';
import { callerAddress } from '../callerAddress.js';
import { readCredentials } from '../credentials.js';
import { admitOperation } from '../limits/admitOperation.js';
import { BYTES_A_UNIT, COST_A_UNIT, type FairTurns, type Turn, turnOf } from '../limits/FairTurns.js';
import type { DocumentLimits } from '../limits/limitDocuments.js';
import { checkOrigin, type Origins } from '../origins.js';
import { openSocket, RunningOperations, readOperation, SocketCaller, socketError } from './openSocket.js';

/** Maximum running operations of one websocket. */
const MOST_OPERATIONS = 100;

interface GraphQLSocketOptions {
  readonly schema: GraphQLSchema;
  readonly dependencies: UseCaseDependencies;
  readonly documentLimits: DocumentLimits;
  readonly validationRules: readonly ValidationRule[];
  readonly turns: FairTurns;
  readonly origins: Origins;
}

interface Extra {
  readonly socket: WebSocket;
  readonly request: FastifyRequest;
  readonly running: RunningOperations;
  caller?: SocketCaller;
  /** The key of the turns that this socket shares, see `turnOf`. */
  turnsWith: string;
}

type SocketContext = Context<Record<string, unknown>, Extra>;

/**
 * Handles GraphQL over a websocket (the graphql-transport-ws protocol): subscriptions of `Live`, and any other operation.
 *
 * The payload of `connection_init` contains the credentials as `Authorization` and, for a platform,
 * `Switchboard-Organization`, because browsers cannot set headers. Other clients may send them as headers. They are checked
 * again before every message is sent; when they are no longer valid, the socket is closed with 4401. When updates may have
 * been missed, it is closed with 1013, and clients connect and subscribe again.
 */
export function graphqlSocket({ schema, dependencies, documentLimits, validationRules, turns, origins }: GraphQLSocketOptions) {
  const { log } = dependencies;
  const reading = { schema, validationRules, maxTokens: documentLimits.maxTokens };
  const rules = { schema, limits: documentLimits, dependencies };

  /** The cost of each operation from its admission to its execution. */
  const costs = new WeakMap<GraphQLContext, number>();

  const server = makeServer<Record<string, unknown>, Extra>({
    connectionInitWaitTimeout: 10_000,
    // Runs queries and mutations. A subscription uses no turn while it waits for updates.
    async execute(args) {
      const context = args.contextValue as GraphQLContext;
      const { possibleCaller, transport, budget } = context;
      const cost = costs.get(context) ?? 0;
      const turn = await turns.enter(turnOf(possibleCaller, transport.address), 1 + cost / COST_A_UNIT);
      try {
        return await execute(args as ExecutionArgs);
      } finally {
        turn.add((transport.budget.bytes - Math.max(0, budget.bytes)) / BYTES_A_UNIT);
        turn.leave();
      }
    },
    async onConnect({ extra, connectionParams }) {
      const credentials = readParameters(connectionParams, readCredentials(extra.request));
      extra.caller = new SocketCaller(dependencies, credentials, callerAddress(extra.request));
      try {
        const caller = await extra.caller.current();
        extra.turnsWith = turnOf(caller, callerAddress(extra.request));
        checkOrigin(extra.request, caller, origins);
        return true;
      } catch (failure) {
        const { error } = toCallError(failure, log);
        // 4401 and 4403 tell a client that reconnecting does not help; 1013 tells it to reconnect.
        if (closeForCaller(extra.socket, error)) return false;
        if (error.status === 403) extra.socket.close(4403, 'Forbidden');
        else extra.socket.close(1013, error.code);
        return false;
      }
    },
    async onSubscribe({ extra, subscriptions }, _id, { query, variables, operationName }) {
      const socketCaller = extra.caller as SocketCaller;
      try {
        if (Object.keys(subscriptions).length > MOST_OPERATIONS) throw tooMany();
        const document = readOperation(query, reading);
        const operation = 'length' in document ? null : getOperationAST(document, operationName);
        const caller = await socketCaller.current();
        const address = callerAddress(extra.request);
        let cost = 0;
        if ('length' in document || !operation) {
          const count = await countRequest(dependencies, caller, 'read');
          if (count) refuseTooMany(count, 'read');
          if ('length' in document) return document;
        } else {
          cost = await admitOperation(rules, { document, operation, variables: variables ?? {} }, caller, address);
        }
        const contextValue = new GraphQLContext(dependencies, caller, {
          budget: documentLimits.budget,
          address,
          isAbandoned: () => extra.socket.readyState !== extra.socket.OPEN,
          bindBrowser: null,
          checkAgain: () => socketCaller.current(),
        });
        costs.set(contextValue, cost);
        return { schema, document, variableValues: variables, operationName, contextValue } as ExecutionArgs;
      } catch (failure) {
        closeFor(extra.socket, failure);
        return [toGraphQLError(failure, log)];
      }
    },
    onOperation({ extra }, _id, _payload, _args, result) {
      if (!(Symbol.asyncIterator in result)) return undefined;
      const results = result as AsyncGenerator<never, void, void>;
      const { socket, running } = extra;
      if (socket.readyState === socket.OPEN && running.size < MOST_OPERATIONS) return running.remember(results);
      void results.return();
      return { errors: [toGraphQLError(tooMany(), log)] };
    },
    onNext({ extra }: SocketContext, _id, _payload, { document, operationName, contextValue }, { errors, ...rest }) {
      if (!errors) return undefined;
      const { exceeded } = (contextValue as GraphQLContext).budget;
      if (exceeded) return { errors: [socketError(toGraphQLError(exceeded, log), log)] as never };
      // When the database cannot be reached, the socket is closed, so that the client subscribes again on a new one.
      const watches = getOperationAST(document, operationName)?.operation === OperationTypeNode.SUBSCRIPTION;
      if (watches && errors.some(({ extensions }) => extensions.code === 'SERVICE_UNAVAILABLE')) {
        extra.socket.close(1013, 'SERVICE_UNAVAILABLE');
      }
      return { ...rest, errors: errors.slice(0, MOST_PROBLEMS).map((error) => socketError(error, log)) as never };
    },
    onError({ extra }: SocketContext, _id, _payload, errors) {
      for (const error of errors) if (error instanceof GraphQLError) closeFor(extra.socket, error.originalError);
      return errors.map((error) => socketError(error as GraphQLError, log));
    },
  });

  return (socket: WebSocket, request: FastifyRequest): void => {
    const turnsWith = turnOf(null, callerAddress(request));
    const extra: Extra = { socket, request, running: new RunningOperations(), turnsWith };
    const enter = (bytes: number): Promise<Turn> => turns.enter(extra.turnsWith, 1 + bytes / BYTES_A_UNIT);
    const onPing = async (): Promise<void> => {
      await extra.caller?.current().catch((failure) => closeFor(socket, failure));
    };
    openSocket(server, extra, { enter, onPing, onClose: () => extra.running.end() }, log);
  };
}

/** Closes the socket for a failure that concerns all of it. */
function closeFor(socket: WebSocket, failure: unknown): void {
  if (failure instanceof ChangesLost) socket.close(1013, 'Updates may have been missed: subscribe again');
  else if (failure instanceof SwitchboardError && closeForCaller(socket, failure)) return;
  else if (databaseTrouble(failure)) socket.close(1013, 'SERVICE_UNAVAILABLE');
}

/** Closes the socket when its credentials or its organization are no longer valid. Returns whether it did. */
function closeForCaller(socket: WebSocket, error: SwitchboardError): boolean {
  const { code, status, facts } = error;
  if (status === 401) socket.close(4401, reasonOf(error));
  else if (code !== 'ORGANIZATION_REQUIRED' && facts.header === ORGANIZATION_HEADER) socket.close(4403, code);
  else return false;
  return true;
}

/** Returns the close reason for invalid credentials. For a session it says whether the session expired or was ended. */
function reasonOf({ code }: SwitchboardError): string {
  return code === 'UNAUTHENTICATED' ? 'Unauthorized' : code;
}

function tooMany(): SwitchboardError {
  return new SwitchboardError('RATE_LIMITED', `A websocket may carry ${MOST_OPERATIONS} operations at once. Open another.`);
}

/**
 * Reads the credentials from the parameters, whose names are case-insensitive because clients treat them as headers. Headers
 * of the request are used where a parameter is missing.
 */
function readParameters(parameters: Record<string, unknown> | undefined, headers: Credentials): Credentials {
  const find = (header: string) =>
    Object.entries(parameters ?? {}).find(([name]) => name.toLowerCase() === header.toLowerCase())?.[1];
  const authorization = find('Authorization');
  return {
    authorization: typeof authorization === 'string' ? authorization : headers.authorization,
    organization: find(ORGANIZATION_HEADER) ?? headers.organization,
  };
}

const PATIENCE_MS = 500;

/**
 * Closes all websockets with 1012 (service restart, RFC 6455's registry), so that clients reconnect to another process. Ends
 * those that stay open.
 */
export function closeSockets(this: FastifyInstance, done: () => void): void {
  const { websocketServer } = this;
  for (const socket of websocketServer.clients) socket.close(1012, 'This server is stopping');
  websocketServer.close();
  setTimeout(() => {
    for (const socket of websocketServer.clients) socket.terminate();
  }, PATIENCE_MS).unref();
  done();
}
