import '@fastify/websocket';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginCacheControlDisabled, ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import { authenticate } from '../access/authenticate.js';
import type { Caller } from '../domain/Caller.js';
import { formatError } from '../graphql/errors/formatError.js';
import { toGraphQLError } from '../graphql/errors/toGraphQLError.js';
import { GraphQLContext } from '../graphql/GraphQLContext.js';
import type { GraphQLDependencies } from '../graphql/GraphQLDependencies.js';
import { refuseLiveByPost } from '../graphql/refuseLiveByPost.js';
import { browserBindingCookie, browserBindingOptions } from './callback/browserBindingCookie.js';
import { callerAddress } from './callerAddress.js';
import { checkJson } from './limits/checkJson.js';
import type { DocumentLimits } from './limits/DocumentLimits.js';
import type { FairTurns, Turn } from './limits/FairTurns.js';
import { limitDocuments } from './limits/limitDocuments.js';
import { limitOperations } from './limits/limitOperations.js';
import { takeTurn } from './limits/takeTurn.js';
import { checkOrigin } from './socket/checkOrigin.js';
import { graphqlSocket } from './socket/graphqlSocket.js';

/** Fields of an answer that are as much work as an ordinary call. */
const COST_A_UNIT = 250;

/** What is known of a request before its body is read. */
interface Entry {
  readonly address: string;
  readonly caller: Caller | null;
  /** Why it is refused, in whatever form the body asks for. */
  readonly failure: unknown;
  readonly turn: Turn | null;
}

export interface GraphQLRouteOptions {
  readonly schema: GraphQLSchema;
  readonly dependencies: GraphQLDependencies;
  readonly publicUrl: string;
  readonly documentLimits: DocumentLimits;
  readonly turns: FairTurns;
  /** Origins of frontends that may open a websocket, beside our own. */
  readonly corsOrigins: readonly string[];
}

/**
 * `POST /graphql` (and GET for queries, with a header that rules out CSRF): Apollo Server with limits on what a document
 * may cost. The same address takes websockets.
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
    csrfPrevention: true,
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
          onCost: (cost) => turn?.add(cost / COST_A_UNIT),
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
  app.decorateRequest('entry', null);
  /** Who calls is known before a body is read: it waits for its turn where it is. */
  const onRequest = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (request.ws) return;
    reply.header('cache-control', 'no-store');
    const address = callerAddress(request);
    let caller: Caller | null = null;
    let failure: unknown = null;
    try {
      caller = await authenticate(dependencies, request.headers.authorization, address);
    } catch (error) {
      failure = error;
    }
    let turn: Turn | null = null;
    try {
      turn = await takeTurn(turns, caller ? `organization:${caller.organizationId}` : `address:${address}`, request, reply);
    } catch (error) {
      failure ??= error;
    }
    request.setDecorator<Entry>('entry', { address, caller, failure, turn });
  };
  app.route({ url: '/graphql', method: 'POST', onRequest, handler });
  const socket = graphqlSocket({ schema, dependencies, documentLimits, validationRules, turns });
  app.route({
    url: '/graphql',
    method: 'GET',
    onRequest,
    preValidation: async (request) => {
      if (request.ws) checkOrigin(request, [publicUrl, ...corsOrigins]);
      // Apollo parses these by itself.
      for (const value of Object.values(request.query as object)) checkJson(Buffer.from(String(value)));
    },
    handler,
    wsHandler: socket,
  });
}
