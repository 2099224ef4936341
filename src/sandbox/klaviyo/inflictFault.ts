import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendAnswer } from '../web/answer.js';
import { jsonApiError, throttledAnswer } from './api/jsonApiError.js';
import type { ActiveFault, Endpoint, Interruption } from './faultBox.js';
import type { KlaviyoContext } from './klaviyoContext.js';
import { oauthError } from './oauth/oauthError.js';

const BIG_BODY_BYTES = 10 * 1024 * 1024;
const CHUNK = 'x'.repeat(64 * 1024);

/** Valid JSON, 10 MB of it, made while it is read: whoever reads without a bound pays for it, the sandbox doesn't. */
function* bigBody(): Generator<string> {
  yield '{"padding":"';
  for (let sent = 0; sent < BIG_BODY_BYTES; sent += CHUNK.length) yield CHUNK;
  yield '"}';
}

const page = (title: string): string =>
  `<!DOCTYPE html><html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`;

/** Answers, or fails to answer, as the fault says. */
export function inflictFault(
  fault: ActiveFault,
  endpoint: Endpoint,
  context: KlaviyoContext,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const sendHtml = (status: number, title: string) => reply.code(status).type('text/html; charset=utf-8').send(page(title));
  switch (fault.kind as Interruption) {
    case 'throttle':
      return sendAnswer(reply, throttledAnswer(Math.max(1, Math.ceil(((fault.until ?? 0) - context.now()) / 1_000))));
    case 'server_error':
      return sendAnswer(reply, jsonApiError(500, 'error', 'A server error occurred.', 'A server error occurred.'));
    case 'unavailable':
      if (fault.seconds !== undefined) reply.header('retry-after', String(fault.seconds));
      return sendAnswer(reply, jsonApiError(503, 'unavailable', 'Service unavailable.', 'Try again later.'));
    case 'bad_gateway_html':
      return sendHtml(502, '502 Bad Gateway');
    case 'edge_challenge':
      reply.header('cf-mitigated', 'challenge').header('server', 'cloudflare');
      return sendHtml(403, 'Just a moment...');
    case 'hang':
      context.held.hold(request, reply);
      return reply;
    case 'reset':
      reply.hijack();
      request.raw.socket.resetAndDestroy();
      return reply;
    case 'big_body':
      return reply.code(200).type('application/json').send(Readable.from(bigBody()));
    case 'invalid_client':
      return sendAnswer(reply, oauthError(401, 'invalid_client', 'Client authentication failed'));
    case 'invalid_grant':
      return sendAnswer(reply, oauthError(400, 'invalid_grant', 'The refresh token is not valid'));
    case 'unauthorized':
      return sendAnswer(
        reply,
        jsonApiError(
          401,
          'not_authenticated',
          'Authentication credentials were not provided.',
          'Missing or invalid access token.',
        ),
      );
    case 'permission_denied':
      return sendAnswer(
        reply,
        jsonApiError(403, 'permission_denied', 'You do not have permission to perform this action.', 'A scope is missing.'),
      );
    case 'slow':
      throw new Error(`A slow answer at ${endpoint} is still an answer, and not made here`);
  }
}
