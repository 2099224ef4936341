import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import type { Logger } from '../domain/Logger.js';
import { SwitchboardError } from '../domain/SwitchboardError.js';
import { errorHeaders } from '../graphql/errors/errorHeaders.js';
import { findAllowedMethods } from './errors/findAllowedMethods.js';
import { jsonApiError } from './errors/jsonApiError.js';
import { toHttpError } from './errors/toHttpError.js';

/** Renders what goes wrong outside GraphQL, in JSON:API's error shape (OpenAPI ErrorObject). Call it before routes are added. */
export function handleErrors(app: FastifyInstance, log: Logger): void {
  const allowedMethods = findAllowedMethods(app);
  app.setNotFoundHandler((request) => {
    const allow = allowedMethods(request.url);
    if (allow.length === 0) throw new SwitchboardError('NOT_FOUND', 'There is nothing at this address.');
    throw new SwitchboardError('METHOD_NOT_ALLOWED', `This address takes ${allow.join(', ')}.`, { allow });
  });
  app.setErrorHandler(renderError(log));
}

/** Also for what Fastify refuses before it knows the route, such as a URL that can't be decoded. */
export function renderError(log: Logger) {
  return (failure: FastifyError | SwitchboardError, _request: unknown, reply: FastifyReply): void => {
    const found = toHttpError(failure, log);
    const { status } = found.error;
    reply
      .code(status)
      .headers(errorHeaders(found.error))
      .send({ errors: [jsonApiError(found)] });
  };
}
