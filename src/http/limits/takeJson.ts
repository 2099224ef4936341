import { Transform } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { SwitchboardError } from '../../domain/SwitchboardError.js';
import { checkJson, JsonCheck } from './checkJson.js';

/** Enough for any question about the schema. */
const MOST_BYTES_OF_STRANGERS = 64 * 1024;
/** A body that is longer is looked at while it comes, so that an absurd one is not even kept. */
const MOST_BYTES_AT_ONCE = 64 * 1024;

/**
 * Looks at the shape of JSON bodies, of every route, and parses those of most routes as Fastify does; those without
 * credentials may be small only.
 */
export function takeJson(app: FastifyInstance, bodyLimit: number): void {
  app.addHook('preParsing', async ({ headers }, _reply, payload) => {
    const isJson = /^application\/(vnd\.api\+)?json/i.test(headers['content-type'] ?? '');
    if (!isJson || Number(headers['content-length']) <= MOST_BYTES_AT_ONCE) return payload;
    const check = new JsonCheck();
    const looking = new Transform({
      transform(piece, _encoding, done) {
        try {
          check.feed(piece);
          done(null, piece);
        } catch (error) {
          done(error as Error);
        }
      },
    });
    // Whoever reads it may have given up before, and hears no more of it.
    looking.on('error', () => {});
    // A pipe hands on no early end, and a pipeline would cut off the answer to a body that is refused.
    payload.once('close', () => {
      if (!looking.writableEnded) looking.destroy(new SwitchboardError('BAD_USER_INPUT', 'The body ended early.'));
    });
    return payload.pipe(looking);
  });
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'buffer', bodyLimit }, (request, body, done) => {
    try {
      const isStranger = request.headers.authorization === undefined && request.url.startsWith('/graphql');
      if (isStranger && body.length > MOST_BYTES_OF_STRANGERS) {
        throw new SwitchboardError('PAYLOAD_TOO_LARGE', 'Without credentials, a body may have 64 KiB at most.');
      }
      if (body.length <= MOST_BYTES_AT_ONCE) checkJson(body as Buffer);
    } catch (error) {
      return done(error as Error);
    }
    return parse(request, body.toString(), done);
  });
}
