import type { FastifyInstance } from 'fastify';
import { SwitchboardError } from '../../domain/SwitchboardError.js';

const RETRY_AFTER_SECONDS = 5;

/**
 * Answers 503 with Retry-After from the moment that the server begins to close, on connections that are still open, and
 * closes them. What was already being done is finished.
 */
export function refuseWhileClosing(app: FastifyInstance): void {
  let closing = false;
  app.addHook('preClose', (done) => {
    closing = true;
    done();
  });
  app.addHook('onRequest', async (_request, reply) => {
    if (!closing) return;
    reply.header('connection', 'close');
    throw new SwitchboardError('SERVICE_UNAVAILABLE', 'This server is stopping. Try again in a few seconds.', {
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
  });
}
