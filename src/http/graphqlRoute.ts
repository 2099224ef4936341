import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import { ApolloArmor } from '@escape.tech/graphql-armor';
import type { FastifyInstance } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import { authenticate } from '../access/authenticate.js';
import { formatError } from '../graphql/errors/formatError.js';
import { toGraphQLError } from '../graphql/errors/toGraphQLError.js';
import { GraphQLContext } from '../graphql/GraphQLContext.js';
import type { GraphQLDependencies } from '../graphql/GraphQLDependencies.js';
import { requireCaller } from '../graphql/requireCaller.js';
import { browserBindingCookie, browserBindingOptions } from './callback/browserBindingCookie.js';
import { limitOperations } from './limits/limitOperations.js';

export interface GraphQLRouteOptions {
  readonly schema: GraphQLSchema;
  readonly dependencies: GraphQLDependencies;
  readonly publicUrl: string;
}

/** `POST /graphql` (and GET for queries, with a header that rules out CSRF): Apollo Server with limits on what a document may cost. */
export async function graphqlRoute(
  app: FastifyInstance,
  { schema, dependencies, publicUrl }: GraphQLRouteOptions,
): Promise<void> {
  const armor = new ApolloArmor({
    maxDepth: { n: 12 },
    maxAliases: { n: 30 },
    maxDirectives: { n: 30 },
    // Armor's own way parses twice, answers syntax errors with 500, and shows what nobody foresaw.
    maxTokens: { enabled: false },
    costLimit: { maxCost: 20_000 },
    blockFieldSuggestion: { enabled: false },
  }).protect();
  // Its types come from Apollo's other module format; the plugins are the same.
  const limits = armor.plugins as unknown as ApolloServerPlugin<GraphQLContext>[];
  const apollo = new ApolloServer<GraphQLContext>({
    validationRules: armor.validationRules,
    allowBatchedHttpRequests: false,
    schema,
    // Validation compares fields with each other: its time grows with the square of this.
    parseOptions: { maxTokens: 1_000 },
    formatError: formatError(dependencies.log),
    introspection: true,
    csrfPrevention: true,
    includeStacktraceInErrorResponses: false,
    persistedQueries: false,
    stopOnTerminationSignals: false,
    plugins: [
      ...limits,
      ApolloServerPluginLandingPageDisabled(),
      requireCaller(dependencies.log),
      limitOperations(dependencies, dependencies.log),
    ],
  });
  await apollo.start();
  // Closing Fastify lets running requests finish; only then is Apollo stopped.
  app.addHook('onClose', () => apollo.stop());

  app.route({
    url: '/graphql',
    method: ['POST', 'GET'],
    handler: fastifyApolloHandler(apollo, {
      context: async (request, reply) => {
        try {
          const caller = await authenticate(dependencies, request.headers.authorization, request.ip);
          return new GraphQLContext(dependencies, caller, ({ authorizationId, value, expiresAt }) => {
            reply.setCookie(browserBindingCookie(authorizationId), value, browserBindingOptions(publicUrl, expiresAt));
          });
        } catch (error) {
          throw toGraphQLError(error, dependencies.log);
        }
      },
    }),
  });
}
