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
import { COST_A_UNIT, type FairTurns, type Turn, takeTurn, turnOf } from './limits/FairTurns.js';
import { checkNames, type DocumentLimits, limitDocuments } from './limits/limitDocuments.js';
import { checkJson } from './limits/takeJson.js';
import { checkOrigin, type Origins, openToSession } from './origins.js';
import { graphqlSocket } from './socket/graphqlSocket.js';

/** What is known of a request before its body is read. */
interface Entry {
  readonly address: string;
  readonly caller: Caller | Platform | null;
  /** Why it is refused, in whatever form the body asks for. */
  readonly failure: unknown;
  readonly turn: Turn | null;
}

export interface GraphQLRouteOptions {
  readonly schema: GraphQLSchema;
  readonly dependencies: UseCaseDependencies;
  readonly publicUrl: string;
  readonly documentLimits: DocumentLimits;
  readonly turns: FairTurns;
  /** Origins of frontends that may open a websocket, beside our own. */
  readonly corsOrigins: readonly string[];
}

/**
 * `POST /graphql`, and GET for queries: Apollo Server with limits on what a document may cost. The same address takes
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
    // refuseForgery knows more: no cookie says who calls, and a GET changes nothing.
    csrfPrevention: false,
    includeStacktraceInErrorResponses: false,
    persistedQueries: false,
    stopOnTerminationSignals: false,
    plugins: [
      ...plugins,
      ApolloServerPluginLandingPageDisabled(),
      // It looks at every field of every answer, only to say no-store in the end.
      ApolloServerPluginCacheControlDisabled(),
      refuseLiveByPost(dependencies.log),
      limitOperations(rules, dependencies.log),
      fitStatus,
    ],
  });
  await apollo.start();
  // Closing Fastify lets running requests finish; only then is Apollo stopped.
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
  /** Who calls is known before a body is read: it waits for its turn where it is. */
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
  /** Looks at a document before Apollo does. One that is refused counts as a question, as those do that Apollo refuses. */
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
      // Apollo parses these by itself.
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

/** Sends a large answer piece by piece, as its client reads it: writing it whole would hold up everybody else meanwhile. */
async function sendInPieces(_request: FastifyRequest, reply: FastifyReply, answer: unknown): Promise<unknown> {
  if (typeof answer !== 'string' || answer.length <= PIECE) return answer;
  const bytes = Buffer.from(answer);
  reply.header('content-length', bytes.length);
  const pieces = Array.from({ length: Math.ceil(bytes.length / PIECE) }, (_, index) =>
    bytes.subarray(index * PIECE, (index + 1) * PIECE),
  );
  return Readable.from(pieces, { highWaterMark: 1 });
}

/**
 * Other sites can make a browser send what needs no pre-flight (Fetch 2.2.2): a POST of text or of a form, and a GET. They
 * can set no `Authorization`; the browser may add one that it remembers (RFC 7617 2.2), so a GET that brings one must come
 * from a page that is allowed to, and by a script. Throws UNSUPPORTED_MEDIA_TYPE, FORBIDDEN.
 */
function refuseForgery(request: FastifyRequest, origins: Origins): void {
  const { headers, method } = request;
  if (method === 'POST' && !/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '')) {
    throw new SwitchboardError('UNSUPPORTED_MEDIA_TYPE', 'Send the operation as JSON, with "Content-Type: application/json".');
  }
  if (method === 'POST' || !headers.authorization) return;
  const { caller, failure } = request.getDecorator<Entry>('entry');
  // Credentials that are no good are refused for that, whatever page brings them.
  if (failure) return;
  checkOrigin(request, caller, origins);
  const site = headers['sec-fetch-site'];
  if ((site === 'cross-site' || site === 'same-site') && headers['sec-fetch-mode'] !== 'cors') {
    throw new SwitchboardError('FORBIDDEN', 'A page of another site may call by fetch() only, with an Authorization header.');
  }
}

/**
 * CORS does not cover websockets, and a browser may add credentials that it remembers: only our own pages, the allowed
 * frontends, and pages that may have a session can open one (RFC 6455 10.2). Who calls is known when `connection_init` came,
 * and only then whether this page may call so. Throws FORBIDDEN.
 */
async function checkUpgrade(dependencies: UseCaseDependencies, request: FastifyRequest, origins: Origins): Promise<void> {
  try {
    checkOrigin(request, null, origins);
  } catch (error) {
    if (!(await isSessionOrigin(dependencies, request.headers.origin ?? ''))) throw error;
  }
}

/**
 * The status for those who can't tell our answers from a proxy's by their media type (GraphQL over HTTP, appendix A): who
 * names `application/json` and not `application/graphql-response+json` gets 200 for whatever is wrong with an operation.
 * Who may not call, or calls too often, and what is our fault keep their status, and so does everything for those who
 * name neither. What carries data is 200 for all (6.4.2).
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
