import '@fastify/websocket';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import type { FastifyInstance } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import { authenticate } from '../access/authenticate.js';
import { formatError } from '../graphql/errors/formatError.js';
import { toGraphQLError } from '../graphql/errors/toGraphQLError.js';
import { GraphQLContext } from '../graphql/GraphQLContext.js';
import type { GraphQLDependencies } from '../graphql/GraphQLDependencies.js';
import { refuseLiveByPost } from '../graphql/refuseLiveByPost.js';
import { browserBindingCookie, browserBindingOptions } from './callback/browserBindingCookie.js';
import { callerAddress } from './callerAddress.js';
import { checkJson } from './limits/checkJson.js';
import type { DocumentLimits } from './limits/DocumentLimits.js';
import { limitDocuments } from './limits/limitDocuments.js';
import { limitOperations } from './limits/limitOperations.js';
import { checkOrigin } from './socket/checkOrigin.js';
import { graphqlSocket } from './socket/graphqlSocket.js';

export interface GraphQLRouteOptions {
  readonly schema: GraphQLSchema;
  readonly dependencies: GraphQLDependencies;
  readonly publicUrl: string;
  readonly documentLimits: DocumentLimits;
  /** Origins of frontends that may open a websocket, beside our own. */
  readonly corsOrigins: readonly string[];
}

/**
 * `POST /graphql` (and GET for queries, with a header that rules out CSRF): Apollo Server with limits on what a document
 * may cost. The same address takes websockets.
 */
export async function graphqlRoute(
  app: FastifyInstance,
  { schema, dependencies, publicUrl, documentLimits, corsOrigins }: GraphQLRouteOptions,
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
        const address = callerAddress(request);
        const caller = await authenticate(dependencies, request.headers.authorization, address);
        return new GraphQLContext(dependencies, caller, {
          budget: documentLimits.budget,
          address,
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
  app.route({ url: '/graphql', method: 'POST', handler });
  const socket = graphqlSocket({ schema, dependencies, documentLimits, validationRules });
  app.route({
    url: '/graphql',
    method: 'GET',
    preValidation: async (request) => {
      if (request.ws) checkOrigin(request, [publicUrl, ...corsOrigins]);
      // Apollo parses these by itself.
      for (const value of Object.values(request.query as object)) checkJson(Buffer.from(String(value)));
    },
    handler,
    wsHandler: socket,
  });
}
