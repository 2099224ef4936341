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
  /** The frontend that continues an install which began at the provider. */
  readonly installUrl: string | null;
  readonly brand: Brand;
  readonly graphiql: Omit<GraphiqlOptions, 'publicUrl'>;
  readonly console: Omit<ConsoleOptions, 'publicUrl'>;
  /** CIDRs of proxies whose X-Forwarded-For is trusted. */
  readonly trustedProxies: readonly string[];
  /** The bearer token that a scraper of /metrics must send. Null: it must come from a private network. */
  readonly metricsToken: string | null;
  readonly limits: ServerLimits;
}

/** Limits of a single request. */
export interface ServerLimits {
  readonly bodyBytes: number;
  readonly restBodyBytes: number;
  /** Milliseconds within which a whole request must arrive. */
  readonly requestTimeoutMs: number;
  readonly documents: DocumentLimits;
}

/** Removes a slash at the end of the paths of REST and of the token endpoint, because many clients add one. */
function withoutTrailingSlash(url: string): string {
  return url.replace(/^(\/(?:api|oauth2)\/[^?]*[^/?])\/(\?|$)/, '$1$2');
}

/** The largest message on a websocket, which a client may send before it authenticates. */
const MOST_MESSAGE_BYTES = 1024 * 1024;

/** Creates the HTTP server with all routes, and with safe headers by default. */
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
    // A callback's URL contains a code and a state, so only its path is logged, never the query.
    logger: false,
    frameworkErrors: (error, request, reply) => renderError(log)(error, request, reply as FastifyReply),
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestTimeoutMs,
    // Only a proxy that the operator has named may report the client's address.
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
    // Java's HttpClient offers h2c with every request. RFC 9113 no longer defines it, and an offer may be ignored (RFC 9110
    // 7.8).
    http: {
      shouldUpgradeCallback: ({ headers }: IncomingMessage) => /^websocket$/i.test(headers.upgrade ?? ''),
    } as ServerOptionsOfNode,
    // Fastify's own 503 has neither our error format nor Retry-After.
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
    // Headers with which a frontend can slow down, or explain why it was refused.
    exposedHeaders: ['retry-after', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset', 'www-authenticate'],
    maxAge: 600,
  };
  await app.register(cors, {
    // A pre-flight request has no token, so it is allowed for every origin that a session names. Whether the page may read
    // the response is decided when the caller is known (openToSession).
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
