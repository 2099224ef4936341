import { randomUUID } from 'node:crypto';
import type { FastifyError, FastifyInstance } from 'fastify';
import type { Logger } from '../domain/Logger.js';
import { SwitchboardError } from '../domain/SwitchboardError.js';

/** Renders what goes wrong outside GraphQL, in JSON:API's error shape (OpenAPI ErrorObject). What nobody foresaw shows an id and nothing else. */
export function handleErrors(app: FastifyInstance, log: Logger): void {
  app.setNotFoundHandler((_request, reply) => {
    reply.code(404).send({ errors: [{ status: '404', code: 'not_found', detail: 'There is nothing at this address.' }] });
  });
  app.setErrorHandler((error: FastifyError | SwitchboardError, _request, reply) => {
    const status = error instanceof SwitchboardError ? error.status : (error.statusCode ?? 500);
    if (status < 500 || error instanceof SwitchboardError) {
      return reply.code(status).send({ errors: [{ status: String(status), code: 'invalid', detail: error.message }] });
    }
    const id = randomUUID();
    log.error({ errorId: id, error: error.stack ?? String(error) }, 'A request failed unexpectedly');
    const detail = 'Something went wrong on our side.';
    return reply.code(500).send({ errors: [{ id, status: '500', code: 'non_field_errors', detail }] });
  });
}
