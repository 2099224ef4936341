import type { FastifyInstance } from 'fastify';
import { requireCaller, requireScope } from '../../access/authenticate.js';
import { countRequest, refuseTooMany } from '../../access/limits.js';
import { identify } from '../../access/platform.js';
import { SwitchboardError } from '../../domain/errors.js';
import { errorHeaders } from '../../errors/toCallError.js';
import type { UseCaseDependencies } from '../../UseCaseDependencies.js';
import { callerAddress } from '../callerAddress.js';
import { readCredentials } from '../credentials.js';
import { jsonApiError, toHttpError } from '../handleErrors.js';
import { rateLimitHeaders } from '../limits/admitOperation.js';
import { type FairTurns, takeTurn, turnOf } from '../limits/FairTurns.js';
import { checkJson } from '../limits/takeJson.js';
import { connectionRoutes } from './connectionRoutes.js';
import { idempotencyKeys } from './idempotencyKey.js';
import { openApiRoute } from './openApiRoute.js';
import type { RestConnectionType } from './RestPart.js';
import { connectionSchemas } from './schemas.js';
import { subscriptionRoutes } from './subscriptionRoutes.js';
import { createValidator, InvalidRequest } from './validation.js';

interface RestOptions {
  readonly dependencies: UseCaseDependencies;
  readonly connectionTypes: readonly RestConnectionType[];
  readonly publicUrl: string;
  readonly turns: FairTurns;
  /** Maximum bytes of a body. */
  readonly bodyBytes: number;
}

const BASE = '/api/v3';

/**
 * Adds `/api/v3/event-subscriptions/…`, the OpenAPI's twelve operations on the use cases that GraphQL also has, and
 * `/openapi.json`.
 */
export async function restRoutes(
  app: FastifyInstance,
  { dependencies, connectionTypes, publicUrl, turns, bodyBytes }: RestOptions,
): Promise<void> {
  // Event types about the server's own connections are for GraphQL only.
  const eventTypes = dependencies.eventTypes
    .list()
    .filter(({ internal }) => !internal)
    .map(({ name }) => name);
  const schemas = connectionSchemas(connectionTypes);
  openApiRoute(app, { base: BASE, publicUrl, eventTypes, connectionSchemas: schemas.components });
  await app.register(
    async (rest) => {
      takeJson(rest, bodyBytes);
      rest.setValidatorCompiler(createValidator());
      // Responses are sent as they are. A serializer that silently leaves out unknown fields would hide a mistake.
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
        const known = identify(dependencies, readCredentials(request), address);
        const found = await known.catch(() => null);
        await takeTurn(turns, turnOf(found, address), request, reply);
        const who = await known;
        if (who?.organizationId === null) {
          // A platform has no resources of its own here, but its request is counted.
          const count = await countRequest(dependencies, who, 'read');
          if (count) refuseTooMany(count, 'read');
        }
        const caller = requireCaller(who);
        // A forbidden request counts as a read, so that it does not use up the limit for writes.
        const counted = caller.scopes.has(scope) && !caller.session ? kind : 'read';
        const count = await countRequest(dependencies, caller, counted);
        if (count) {
          reply.headers(rateLimitHeaders(count));
          refuseTooMany(count, counted);
        }
        if (caller.session) throw new SwitchboardError('FORBIDDEN', 'A session calls GraphQL alone, at /graphql.');
        request.setDecorator('caller', requireScope(caller, scope));
        checkAccept(request.headers.accept);
      });
      rest.addHook('onSend', async (request, reply) => {
        if (reply.hasHeader('content-type')) reply.header('content-type', answerType(request.headers.accept));
      });
      idempotencyKeys(rest, dependencies);
      connectionRoutes(rest, dependencies, connectionTypes, schemas);
      subscriptionRoutes(rest, dependencies, eventTypes);
    },
    { prefix: `${BASE}/event-subscriptions` },
  );
}

/** Accepts JSON only. An empty body of any type counts as none, because some clients always send a type. */
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

/** A lone asterisk is not a valid media range, but clients send it for any type. */
const JSON_TYPES = ['application/json', 'application/*', '*/*', '*'];
const JSON_API_TYPE = 'application/vnd.api+json';

/**
 * Throws NOT_ACCEPTABLE when an Accept header (RFC 9110 12.5.1) excludes both types of JSON. A request without the header
 * accepts every type.
 */
function checkAccept(accept: string | undefined): void {
  if (accept === undefined || /^[\s,]*$/.test(accept)) return;
  if (accepts(accept, [...JSON_TYPES, JSON_API_TYPE])) return;
  throw new SwitchboardError('NOT_ACCEPTABLE', 'Answers are application/json, which your Accept header excludes.');
}

/** Returns the media type of a response: JSON:API's own for a client that accepts no other JSON. */
function answerType(accept: string | undefined): string {
  const asked = accept !== undefined && accepts(accept, [JSON_API_TYPE]) && !accepts(accept, JSON_TYPES);
  return asked ? JSON_API_TYPE : 'application/json; charset=utf-8';
}

function accepts(accept: string, types: readonly string[]): boolean {
  return accept.split(',').some((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    return types.includes(type) && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
