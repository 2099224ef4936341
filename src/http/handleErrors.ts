import type { FastifyError, FastifyInstance } from 'fastify';
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
  app.setErrorHandler((failure: FastifyError | SwitchboardError, _request, reply) => {
    const found = toHttpError(failure, log);
    return reply
      .code(found.error.status)
      .headers(errorHeaders(found.error))
      .send({ errors: [jsonApiError(found)] });
  });
}
