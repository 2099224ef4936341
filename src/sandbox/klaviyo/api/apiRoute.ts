import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Answer, sendAnswer } from '../../web.js';
import { withFaults } from '../faults.js';
import type { Grant } from '../grantBook.js';
import type { KlaviyoContext } from '../klaviyoContext.js';
import type { RateLimit, RateVerdict } from '../rateWindows.js';
import { invalidInput, jsonApiError, notAuthenticated, notFound, permissionDenied, throttledAnswer } from './jsonApi.js';

export interface ApiEndpoint {
  method: 'GET' | 'POST';
  /** In Fastify's form: `/klaviyo/api/events/:id`. */
  path: string;
  scope: string;
  limit: RateLimit;
  counter: 'accountRequests' | 'eventRequests' | 'bulkRequests' | 'readRequests';
  bodyLimit?: number;
  handle: (request: FastifyRequest, grant: Grant) => Answer;
}

const REVISION = /^\d{4}-\d{2}-\d{2}(\.pre)?$/;

/** Registers an endpoint of the API. Before the endpoint's own work it checks token, revision, scopes and rate limit. */
export function apiRoute(app: FastifyInstance, context: KlaviyoContext, endpoint: ApiEndpoint): void {
  const { counters, grants, rates } = context;

  function answer(request: FastifyRequest): Answer {
    const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const grant = token === undefined ? undefined : grants.byAccessToken(token);
    if (!grant) {
      counters.unauthorized += 1;
      return withRateHeaders(notAuthenticated(), rates.peek('nobody', endpoint.limit));
    }
    // Klaviyo limits each endpoint separately, for each account and app.
    const key = `${endpoint.method} ${endpoint.path} ${grant.appId} ${grant.accountId}`;
    const refuse = (refusal: Answer) => withRateHeaders(refusal, rates.peek(key, endpoint.limit));
    const { revision } = request.headers;
    if (typeof revision !== 'string' || !REVISION.test(revision)) {
      return refuse(invalidInput([{ detail: 'A revision header is required, as in 2026-07-15.', pointer: '/data/' }]));
    }
    if (!grant.scopes.includes(endpoint.scope)) return refuse(permissionDenied(endpoint.scope));

    const verdict = rates.take(key, endpoint.limit);
    if (verdict.allowed) return withRateHeaders(endpoint.handle(request, grant), verdict);
    counters.throttled += 1;
    return throttledAnswer(verdict.retryAfter);
  }

  const { ignoreTrailingSlash } = app.initialConfig.routerOptions ?? {};
  for (const url of ignoreTrailingSlash ? [endpoint.path] : [endpoint.path, `${endpoint.path}/`]) {
    app.route({
      method: endpoint.method,
      url,
      bodyLimit: endpoint.bodyLimit ?? 64 * 1024,
      handler: (request, reply) => {
        counters.apiRequests += 1;
        counters[endpoint.counter] += 1;
        return withFaults('api', context, request, reply, () => answer(request));
      },
    });
  }
}

/** Responds to unknown paths below /api, and to methods that a path does not support, in the format of the API's errors. */
export function unknownPaths(app: FastifyInstance, endpoints: readonly ApiEndpoint[]): void {
  app.all('/klaviyo/api/*', (request, reply) => {
    const path = request.url.split('?')[0]?.replace(/\/+$/, '') ?? '';
    const methods = endpoints
      .filter((endpoint) => new RegExp(`${endpoint.path.replace(':id', '[^/]+')}$`).test(path))
      .map(({ method }) => method);
    if (methods.length === 0) return sendAnswer(reply, notFound('There is nothing at this path.'));
    const refusal = jsonApiError(405, 'method_not_allowed', 'Method not allowed.', `This path takes ${methods.join(' and ')}.`);
    return sendAnswer(reply, { ...refusal, headers: { allow: methods.join(', ') } });
  });
}

/** Every response except a 429 carries the state of the one-minute window. */
const withRateHeaders = (answer: Answer, { limit, remaining, reset }: RateVerdict): Answer => ({
  ...answer,
  headers: {
    ...answer.headers,
    'ratelimit-limit': String(limit),
    'ratelimit-remaining': String(remaining),
    'ratelimit-reset': String(reset),
  },
});
