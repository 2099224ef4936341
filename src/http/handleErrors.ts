import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../domain/Logger.js';
import { SwitchboardError } from '../domain/SwitchboardError.js';
import { errorHeaders } from '../graphql/errors/errorHeaders.js';
import { findAllowedMethods } from './errors/findAllowedMethods.js';
import { jsonApiError } from './errors/jsonApiError.js';
import { toHttpError } from './errors/toHttpError.js';

/**
 * Renders what goes wrong before a route or outside of it: as a GraphQL error at `/graphql`, elsewhere in JSON:API's error
 * shape (OpenAPI ErrorObject). Call it before routes are added.
 */
export function handleErrors(app: FastifyInstance, log: Logger): void {
  const allowedMethods = findAllowedMethods(app);
  const refuse = (url: string): never => {
    const allow = allowedMethods(url);
    if (allow.length === 0) throw new SwitchboardError('NOT_FOUND', 'There is nothing at this address.');
    throw new SwitchboardError('METHOD_NOT_ALLOWED', `This address takes ${allow.join(', ')}.`, { allow });
  };
  // Before the body is read: whatever is wrong with that, the method comes first.
  app.addHook('preParsing', async (request) => {
    if (request.is404) refuse(request.url);
  });
  app.setNotFoundHandler((request) => refuse(request.url));
  app.setErrorHandler(renderError(log));
}

/** Also for what Fastify refuses before it knows the route, such as a URL that can't be decoded. */
export function renderError(log: Logger) {
  return (failure: FastifyError | SwitchboardError, request: FastifyRequest, reply: FastifyReply): void => {
    const found = toHttpError(failure, log);
    reply.code(found.error.status).headers(errorHeaders(found.error));
    if (isGraphQL(request)) {
      const { error, id } = found;
      const body = { errors: [{ message: error.message, extensions: { code: error.code, ...(id ? { id } : {}) } }] };
      reply.type(graphqlType(request)).send(JSON.stringify(body));
    } else {
      reply.send({ errors: [jsonApiError(found)] });
    }
  };
}

const isGraphQL = ({ url }: FastifyRequest): boolean => /^\/graphql\/?(\?|$)/.test(url);

/** The newer of the two media types for those who ask for it (GraphQL over HTTP, section 6). */
function graphqlType({ headers: { accept } }: FastifyRequest): string {
  const asked = accept?.includes('application/graphql-response+json');
  return `application/${asked ? 'graphql-response+json' : 'json'}; charset=utf-8`;
}
