import type { IncomingMessage, ServerOptions as ServerOptionsOfNode } from 'node:http';
import cookie from '@fastify/cookie';
import cors, { type FastifyCorsOptions } from '@fastify/cors';
import helmet from '@fastify/helmet';
import websocket from '@fastify/websocket';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Fastify from 'fastify';
import { type GraphQLSchema, printSchema } from 'graphql';
import { isSessionOrigin } from '../access/sessions.js';
import type { Logger } from '../domain/Logger.js';
import type { UseCaseDependencies } from '../UseCaseDependencies.js';
import { callbackRoute } from './callback/callbackRoute.js';
import type { Brand } from './connect/connectPage.js';
import { connectRoutes } from './connect/connectRoutes.js';
import { scriptRoutes } from './connect/scriptRoutes.js';
import { type ConsoleOptions, consoleRoutes } from './console/consoleRoutes.js';
import { type GraphiqlOptions, graphiql } from './graphiql/graphiql.js';
import { graphqlRoute } from './graphqlRoute.js';
import { handleErrors, isGraphQL, refuseWhileClosing, renderError } from './handleErrors.js';
import { type HealthDependencies, healthRoutes } from './healthRoutes.js';
import { installRoute } from './install/installRoute.js';
import { FairTurns } from './limits/FairTurns.js';
import type { DocumentLimits } from './limits/limitDocuments.js';
import { takeJson } from './limits/takeJson.js';
import { metricsRoute } from './metricsRoute.js';
import type { RestConnectionType } from './rest/RestPart.js';
import { restRoutes } from './rest/restRoutes.js';
import { closeSockets } from './socket/graphqlSocket.js';
import { tokenRoutes } from './token/tokenRoutes.js';

export interface ServerOptions {
  readonly schema: GraphQLSchema;
  readonly dependencies: UseCaseDependencies & HealthDependencies;
  readonly connectionTypes: readonly RestConnectionType[];
  readonly log: Logger;
  readonly publicUrl: string;
  readonly corsOrigins: readonly string[];
  /** The frontend where an install that begins at the provider goes on. */
  readonly installUrl: string | null;
  readonly brand: Brand;
  readonly graphiql: Omit<GraphiqlOptions, 'publicUrl'>;
  readonly console: Omit<ConsoleOptions, 'publicUrl'>;
  /** CIDRs of proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  /** What a scraper of /metrics must bring; null: it must come from a private network. */
  readonly metricsToken: string | null;
  readonly limits: ServerLimits;
}

/** What a single request may take. */
export interface ServerLimits {
  readonly bodyBytes: number;
  readonly restBodyBytes: number;
  /** For the whole of a request to arrive. */
  readonly requestTimeoutMs: number;
  readonly documents: DocumentLimits;
}

/** Many clients end the paths of REST and of the token endpoint with a slash: they mean the same. */
function withoutTrailingSlash(url: string): string {
  return url.replace(/^(\/(?:api|oauth2)\/[^?]*[^/?])\/(\?|$)/, '$1$2');
}

/** Of a websocket's message, which anybody may send before saying who they are. */
const MOST_MESSAGE_BYTES = 1024 * 1024;

/** The HTTP face: every route of ours, with safe headers by default. */
export async function createServer({
  schema,
  dependencies,
  connectionTypes,
  log,
  publicUrl,
  corsOrigins,
  installUrl,
  brand,
  trustedProxies,
  metricsToken,
  limits,
  ...options
}: ServerOptions): Promise<FastifyInstance> {
  const app = Fastify({
    // The URL of a callback holds a code and a state: we log the path ourselves, never the query.
    logger: false,
    frameworkErrors: (error, request, reply) => renderError(log)(error, request, reply as FastifyReply),
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestTimeoutMs,
    // Only a proxy that an operator named may say whom a request is from.
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
    // Java's HttpClient offers h2c with every request (RFC 9113 no longer knows it): an offer may be ignored (RFC 9110 7.8).
    http: {
      shouldUpgradeCallback: ({ headers }: IncomingMessage) => /^websocket$/i.test(headers.upgrade ?? ''),
    } as ServerOptionsOfNode,
    // Fastify's own 503 knows neither our form nor Retry-After.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 200 },
    rewriteUrl: ({ url = '/' }) => withoutTrailingSlash(url),
  });
  app.addHook('onResponse', async (request, reply) => {
    const path = request.routeOptions.url ?? '(none)';
    log.debug({ method: request.method, path, status: reply.statusCode, ms: Math.round(reply.elapsedTime) }, 'Answered');
  });
  handleErrors(app, log);
  takeJson(app, limits.bodyBytes);
  refuseWhileClosing(app);

  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] } },
    // A pop-up that comes back from the provider must still reach its opener.
    crossOriginOpenerPolicy: false,
    strictTransportSecurity: publicUrl.startsWith('https:'),
  });
  const corsOptions: FastifyCorsOptions = {
    origin: [...corsOrigins],
    credentials: true,
    methods: ['GET', 'POST', 'PATCH', 'DELETE'],
    // What a frontend needs in order to slow down, or to say why it was refused.
    exposedHeaders: ['retry-after', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset', 'www-authenticate'],
    maxAge: 600,
  };
  await app.register(cors, {
    // A pre-flight carries no token, so it is let by for any origin that a session names. Who may read the answer is decided
    // once it is known who calls (openToSession).
    delegator: async ({ method, url, headers: { origin } }: FastifyRequest) => {
      const mayBeSession = method === 'OPTIONS' && origin !== undefined && !corsOrigins.includes(origin) && isGraphQL({ url });
      if (!mayBeSession || !(await isSessionOrigin(dependencies, origin))) return corsOptions;
      return { ...corsOptions, origin, credentials: false, methods: ['GET', 'POST'] };
    },
  });
  await app.register(cookie);
  await app.register(websocket, {
    options: { maxPayload: Math.min(limits.bodyBytes, MOST_MESSAGE_BYTES) },
    preClose: closeSockets,
  });

  const turns = new FairTurns();
  healthRoutes(app, dependencies);
  metricsRoute(app, dependencies, metricsToken, turns);
  for (const provider of dependencies.providers.values()) {
    if (!provider) continue;
    callbackRoute(app, dependencies, provider);
    installRoute(app, dependencies, provider, installUrl);
  }
  await app.register(connectRoutes, { dependencies, publicUrl, brand });
  scriptRoutes(app);
  await app.register(tokenRoutes, { dependencies, publicUrl, turns });
  await app.register(restRoutes, { dependencies, connectionTypes, publicUrl, turns, bodyBytes: limits.restBodyBytes });
  await graphqlRoute(app, { schema, dependencies, publicUrl, turns, corsOrigins, documentLimits: limits.documents });
  await app.register(async (scope) => graphiql(scope, { ...options.graphiql, publicUrl }));
  const sdl = `${printSchema(schema)}\n`;
  app.get('/schema.graphql', (_request, reply) => reply.type('text/plain; charset=utf-8').send(sdl));
  consoleRoutes(app, dependencies, { ...options.console, publicUrl });
  return app;
}
