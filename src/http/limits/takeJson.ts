import type { FastifyInstance } from 'fastify';
import { SwitchboardError } from '../../domain/SwitchboardError.js';
import { checkJson } from './checkJson.js';

/** Enough for any question about the schema. */
const MOST_BYTES_OF_STRANGERS = 64 * 1024;

/** Parses JSON bodies as Fastify does, after a look at their shape; those without credentials may be small only. */
export function takeJson(app: FastifyInstance, bodyLimit: number): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'buffer', bodyLimit }, (request, body, done) => {
    try {
      const isStranger = request.headers.authorization === undefined && request.url.startsWith('/graphql');
      if (isStranger && body.length > MOST_BYTES_OF_STRANGERS) {
        throw new SwitchboardError('PAYLOAD_TOO_LARGE', 'Without credentials, a body may have 64 KiB at most.');
      }
      checkJson(body as Buffer);
    } catch (error) {
      return done(error as Error);
    }
    return parse(request, body.toString(), done);
  });
}
