import '@fastify/websocket';
import { Readable } from 'node:stream';
import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import { ApolloServerPluginCacheControlDisabled, ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import { countRequest } from '../access/limits.js';
import { identify } from '../access/platform.js';
import { isSessionOrigin } from '../access/sessions.js';
import type { Caller, Platform } from '../domain/Caller.js';
import { SwitchboardError } from '../domain/errors.js';
import { GraphQLContext } from '../graphql/GraphQLContext.js';
import { formatError, toGraphQLError } from '../graphql/graphqlErrors.js';
import { refuseLiveByPost } from '../graphql/refuseLiveByPost.js';
import type { UseCaseDependencies } from '../UseCaseDependencies.js';
import { browserBindingCookie, browserBindingOptions } from './callback/callbackRoute.js';
import { callerAddress } from './callerAddress.js';
import { readCredentials } from './credentials.js';
import { limitOperations } from './limits/admitOperation.js';
import { BYTES_A_UNIT, COST_A_UNIT, type FairTurns, type Turn, takeTurn, turnOf } from './limits/FairTurns.js';
import { checkNames, type DocumentLimits, limitDocuments } from './limits/limitDocuments.js';
import { checkJson } from './limits/takeJson.js';
import { checkOrigin, type Origins, openToSession } from './origins.js';
import { graphqlSocket } from './socket/graphqlSocket.js';

/** What is known of a request before its body is read. */
interface Entry {
  readonly address: string;
  readonly caller: Caller | Platform | null;
  /** The error with which the request is refused. It is sent in the format that the body asks for. */
  readonly failure: unknown;
  readonly turn: Turn | null;
}

export interface GraphQLRouteOptions {
  readonly schema: GraphQLSchema;
  readonly dependencies: UseCaseDependencies;
  readonly publicUrl: string;
  readonly documentLimits: DocumentLimits;
  readonly turns: FairTurns;
  /** Origins of frontends that may open a websocket, besides our own. */
  readonly corsOrigins: readonly string[];
}

/**
 * Adds `POST /graphql`, and GET for queries: Apollo Server with limits on the cost of a document. The same path accepts
 * websockets.
 */
export async function graphqlRoute(
  app: FastifyInstance,
  { schema, dependencies, publicUrl, documentLimits, turns, corsOrigins }: GraphQLRouteOptions,
): Promise<void> {
  const { validationRules, plugins } = limitDocuments(documentLimits);
  const rules = { schema, limits: documentLimits, dependencies };
  const apollo = new ApolloServer<GraphQLContext>({
    validationRules: [...validationRules],
    allowBatchedHttpRequests: false,
    schema,
    parseOptions: { maxTokens: documentLimits.maxTokens },
    formatError: formatError(dependencies.log),
    introspection: true,
    // refuseForgery checks more precisely: no cookie authenticates a caller, and a GET changes nothing.
    csrfPrevention: false,
    includeStacktraceInErrorResponses: false,
    persistedQueries: false,
    stopOnTerminationSignals: false,
    plugins: [
      ...plugins,
      ApolloServerPluginLandingPageDisabled(),
      // This plugin would visit every field of every response, only to send no-store.
      ApolloServerPluginCacheControlDisabled(),
      refuseLiveByPost(dependencies.log),
      limitOperations(rules, dependencies.log),
      fitStatus,
    ],
  });
  await apollo.start();
  // Closing Fastify lets running requests finish. Apollo is stopped after that.
  app.addHook('onClose', () => apollo.stop());

  const handler = fastifyApolloHandler(apollo, {
    context: async (request, reply) => {
      try {
        const { address, caller, failure, turn } = request.getDecorator<Entry>('entry');
        if (failure) throw failure;
        return new GraphQLContext(dependencies, caller, {
          budget: documentLimits.budget,
          address,
          onCost: (cost) => turn?.grow(cost / COST_A_UNIT),
          isAbandoned: () => request.raw.socket.destroyed,
          giveWay: turn?.giveWay,
          bindBrowser: ({ authorizationId, value, expiresAt }) => {
            reply.setCookie(browserBindingCookie(authorizationId), value, browserBindingOptions(publicUrl, expiresAt));
          },
        });
      } catch (error) {
        throw toGraphQLError(error, dependencies.log);
      }
    },
  });
  const origins: Origins = { publicUrl, corsOrigins };
  app.decorateRequest('entry', null);
  /** Finds out who calls before the body is read, so that the body waits for its turn unread. */
  const onRequest = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (request.ws) return;
    reply.header('cache-control', 'no-store');
    const address = callerAddress(request);
    let caller: Caller | Platform | null = null;
    let failure: unknown = null;
    try {
      caller = await identify(dependencies, readCredentials(request), address);
      if (caller?.session) checkOrigin(request, caller, origins);
    } catch (error) {
      failure = error;
    }
    openToSession(request, reply, caller, failure);
    let turn: Turn | null = null;
    try {
      turn = await takeTurn(turns, turnOf(caller, address), request, reply);
    } catch (error) {
      failure ??= error;
    }
    request.setDecorator<Entry>('entry', { address, caller, failure, turn });
  };
  /** Checks a document before Apollo does. A refused document counts as a read, like one that Apollo refuses. */
  const checkDocument = async (request: FastifyRequest, document: unknown): Promise<void> => {
    if (typeof document !== 'string' || request.ws) return;
    const { caller, failure } = request.getDecorator<Entry>('entry');
    if (failure) return;
    try {
      checkNames(document, documentLimits.maxTokens);
    } catch (error) {
      if (caller) await countRequest(dependencies, caller, 'read').catch(() => null);
      throw error;
    }
  };
  app.route({
    url: '/graphql',
    method: 'POST',
    onRequest,
    preValidation: async (request) => {
      refuseForgery(request, origins);
      await checkDocument(request, (request.body as { query?: unknown } | null)?.query);
    },
    onSend: sendInPieces,
    handler,
  });
  const socket = graphqlSocket({ schema, dependencies, documentLimits, validationRules, turns, origins });
  app.route({
    url: '/graphql',
    method: 'GET',
    onRequest,
    preValidation: async (request) => {
      if (request.ws) return checkUpgrade(dependencies, request, origins);
      refuseForgery(request, origins);
      // Apollo parses these parameters itself.
      for (const value of Object.values(request.query as object)) checkJson(Buffer.from(String(value)));
      await checkDocument(request, (request.query as { query?: unknown }).query);
    },
    onSend: sendInPieces,
    handler,
    wsHandler: socket,
  });
}

/** Bytes of an answer that are written to its socket at once. */
const PIECE = 64 * 1024;

/** Milliseconds without progress, and in all, after which a client that does not read its answer is disconnected. */
const STALLED_MS = 30_000;
const LONGEST_SENDING_MS = 120_000;

/**
 * Sends a large answer piece by piece, as its client reads it, because writing it whole would block all other callers. The turn ends
 * here: a client that does not read must not keep its organization waiting.
 */
async function sendInPieces(request: FastifyRequest, reply: FastifyReply, answer: unknown): Promise<unknown> {
  if (typeof answer !== 'string' || answer.length <= PIECE) return answer;
  const bytes = Buffer.from(answer);
  const { turn } = request.getDecorator<Entry>('entry');
  turn?.add(bytes.length / BYTES_A_UNIT);
  turn?.leave();
  const disconnect = () => request.raw.socket.destroy();
  reply.raw.setTimeout(STALLED_MS, disconnect);
  const longest = setTimeout(disconnect, LONGEST_SENDING_MS);
  reply.raw.once('close', () => clearTimeout(longest));
  reply.header('content-length', bytes.length);
  const pieces = Array.from({ length: Math.ceil(bytes.length / PIECE) }, (_, index) =>
    bytes.subarray(index * PIECE, (index + 1) * PIECE),
  );
  return Readable.from(pieces, { highWaterMark: 1 });
}

/**
 * Refuses requests that another site can make a browser send without a pre-flight (Fetch 2.2.2): a POST of text or of a
 * form, and a GET. Other sites can set no `Authorization`, but the browser may add one that it remembers (RFC 7617 2.2). So
 * a GET with credentials must come from an allowed page, and from a script. Throws UNSUPPORTED_MEDIA_TYPE, FORBIDDEN.
 */
function refuseForgery(request: FastifyRequest, origins: Origins): void {
  const { headers, method } = request;
  if (method === 'POST' && !/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '')) {
    throw new SwitchboardError('UNSUPPORTED_MEDIA_TYPE', 'Send the operation as JSON, with "Content-Type: application/json".');
  }
  if (method === 'POST' || !headers.authorization) return;
  const { caller, failure } = request.getDecorator<Entry>('entry');
  // Invalid credentials are refused as such, whatever page sends them.
  if (failure) return;
  checkOrigin(request, caller, origins);
  const site = headers['sec-fetch-site'];
  if ((site === 'cross-site' || site === 'same-site') && headers['sec-fetch-mode'] !== 'cors') {
    throw new SwitchboardError('FORBIDDEN', 'A page of another site may call by fetch() only, with an Authorization header.');
  }
}

/**
 * Checks the origin of a websocket. CORS does not cover websockets, and a browser may add credentials that it remembers. So
 * only our own pages, the allowed frontends, and pages that may have a session can open one (RFC 6455 10.2). The caller is
 * known after `connection_init`; whether this page may act for that caller is checked then. Throws FORBIDDEN.
 */
async function checkUpgrade(dependencies: UseCaseDependencies, request: FastifyRequest, origins: Origins): Promise<void> {
  try {
    checkOrigin(request, null, origins);
  } catch (error) {
    if (!(await isSessionOrigin(dependencies, request.headers.origin ?? ''))) throw error;
  }
}

/**
 * Sets the HTTP status (GraphQL over HTTP, appendix A). A client that accepts `application/json` but not
 * `application/graphql-response+json` cannot tell our response from a proxy's by its media type, so it gets 200 for every
 * error in an operation. Refused callers, rate limits and our own faults keep their status, as do all errors for clients
 * that name neither type. A response with data has 200 for every client (6.4.2).
 */
const fitStatus: ApolloServerPlugin<GraphQLContext> = {
  async requestDidStart() {
    return {
      async willSendResponse({ request, source, response }) {
        const { http, body } = response;
        if (body.kind !== 'single' || http.status === undefined || http.status < 400) return;
        const accept = request.http?.headers.get('accept')?.toLowerCase() ?? '';
        const isOld = accept.includes('application/json') && !accept.includes('application/graphql-response+json');
        const isWellFormed = source !== undefined;
        if (body.singleResult.data || (isOld && isWellFormed && http.status === 400)) http.status = 200;
      },
    };
  },
};
