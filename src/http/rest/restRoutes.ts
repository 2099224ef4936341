import type { FastifyInstance } from 'fastify';
import { authenticate } from '../../access/authenticate.js';
import { countRequest, refuseTooMany } from '../../access/countRequest.js';
import { requireCaller, requireScope } from '../../access/requireScope.js';
import { SwitchboardError } from '../../domain/SwitchboardError.js';
import { errorHeaders } from '../../graphql/errors/errorHeaders.js';
import type { GraphQLDependencies } from '../../graphql/GraphQLDependencies.js';
import { callerAddress } from '../callerAddress.js';
import { jsonApiError } from '../errors/jsonApiError.js';
import { toHttpError } from '../errors/toHttpError.js';
import { checkJson } from '../limits/checkJson.js';
import type { FairTurns } from '../limits/FairTurns.js';
import { rateLimitHeaders } from '../limits/rateLimitHeaders.js';
import { takeTurn } from '../limits/takeTurn.js';
import { answerType, checkAccept } from './checkAccept.js';
import { connectionRoutes } from './connectionRoutes.js';
import { createValidator } from './createValidator.js';
import { InvalidRequest } from './InvalidRequest.js';
import { idempotencyKeys } from './idempotencyKey.js';
import { openApiRoute } from './openApiRoute.js';
import { subscriptionRoutes } from './subscriptionRoutes.js';

export interface RestOptions {
  readonly dependencies: GraphQLDependencies;
  readonly publicUrl: string;
  readonly turns: FairTurns;
  /** The largest body that is read. */
  readonly bodyBytes: number;
}

const BASE = '/api/v3';

/** `/api/v3/event-subscriptions/…`: the OpenAPI's twelve operations on the use cases that GraphQL has, and `/openapi.json`. */
export async function restRoutes(
  app: FastifyInstance,
  { dependencies, publicUrl, turns, bodyBytes }: RestOptions,
): Promise<void> {
  // What the server tells of itself is for GraphQL alone.
  const eventTypes = dependencies.eventTypes
    .list()
    .filter(({ internal }) => !internal)
    .map(({ name }) => name);
  openApiRoute(app, { base: BASE, publicUrl, eventTypes });
  await app.register(
    async (rest) => {
      takeJson(rest, bodyBytes);
      rest.setValidatorCompiler(createValidator());
      // Answers are what the use cases say; a schema that silently left fields out would hide a mistake.
      rest.setSerializerCompiler(() => (data) => JSON.stringify(data));
      rest.setErrorHandler((failure, _request, reply) => {
        if (failure instanceof InvalidRequest) return reply.code(failure.statusCode).send({ errors: failure.errors });
        const found = toHttpError(failure, dependencies.log);
        return reply
          .code(found.error.status)
          .headers(errorHeaders(found.error))
          .send({ errors: [jsonApiError(found)] });
      });

      rest.decorateRequest('caller', null);
      rest.addHook('onRequest', async (request, reply) => {
        reply.header('cache-control', 'no-store');
        const kind = request.method === 'GET' || request.method === 'HEAD' ? 'read' : 'write';
        const scope = kind === 'read' ? 'read' : 'manage';
        const address = callerAddress(request);
        const known = authenticate(dependencies, request.headers.authorization, address);
        const key = await known.then(
          (found) => (found ? `organization:${found.organizationId}` : `address:${address}`),
          () => `address:${address}`,
        );
        await takeTurn(turns, key, request, reply);
        const caller = requireCaller(await known);
        // What is forbidden uses up nothing of what others may write.
        const counted = caller.scopes.has(scope) ? kind : 'read';
        const count = await countRequest(dependencies, caller, counted);
        if (count) {
          reply.headers(rateLimitHeaders(count));
          refuseTooMany(count, counted);
        }
        request.setDecorator('caller', requireScope(caller, scope));
        checkAccept(request.headers.accept);
      });
      rest.addHook('onSend', async (request, reply) => {
        if (reply.hasHeader('content-type')) reply.header('content-type', answerType(request.headers.accept));
      });
      idempotencyKeys(rest, dependencies);
      connectionRoutes(rest, dependencies);
      subscriptionRoutes(rest, dependencies, eventTypes);
    },
    { prefix: `${BASE}/event-subscriptions` },
  );
}

/** JSON and nothing else. No body at all is none, whatever its type: some clients always send one. */
function takeJson(app: FastifyInstance, bodyLimit: number): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    /^application\/(vnd\.api\+)?json\s*(;|$)/i,
    { parseAs: 'buffer', bodyLimit },
    (_request, body, done) => {
      if (body.length === 0) return done(null, undefined);
      try {
        checkJson(body as Buffer);
        done(null, JSON.parse(body.toString()));
      } catch (error) {
        done(error instanceof SwitchboardError ? error : new SwitchboardError('BAD_USER_INPUT', 'The body is not JSON.'));
      }
    },
  );
}
