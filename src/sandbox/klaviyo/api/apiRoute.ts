import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Answer } from '../../web/answer.js';
import type { Grant } from '../grantBook.js';
import type { KlaviyoContext } from '../klaviyoContext.js';
import type { RateLimit, RateVerdict } from '../rateWindows.js';
import { withFaults } from '../withFaults.js';
import { invalidInput, notAuthenticated, permissionDenied, throttledAnswer } from './jsonApiError.js';

export interface ApiEndpoint {
  method: 'GET' | 'POST';
  path: string;
  scope: string;
  limit: RateLimit;
  counter: 'accountRequests' | 'eventRequests' | 'bulkRequests';
  bodyLimit?: number;
  handle: (request: FastifyRequest, grant: Grant) => Answer;
}

const REVISION = /^\d{4}-\d{2}-\d{2}(\.pre)?$/;

/** What every endpoint of the API does before its own work: who, which revision, may they, and not too often. */
export function apiRoute(app: FastifyInstance, context: KlaviyoContext, endpoint: ApiEndpoint): void {
  const { counters, grants, rates } = context;

  function answer(request: FastifyRequest): Answer {
    const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const grant = token === undefined ? undefined : grants.byAccessToken(token);
    if (!grant) {
      counters.unauthorized += 1;
      return withRateHeaders(notAuthenticated(), rates.peek('nobody', endpoint.limit));
    }
    const key = `${endpoint.path} ${grant.accountId}`;
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

/** On everything but a 429 Klaviyo tells the state of the one-minute window. */
const withRateHeaders = (answer: Answer, { limit, remaining, reset }: RateVerdict): Answer => ({
  ...answer,
  headers: {
    ...answer.headers,
    'ratelimit-limit': String(limit),
    'ratelimit-remaining': String(remaining),
    'ratelimit-reset': String(reset),
  },
});
