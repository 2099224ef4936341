import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../../domain/Logger.js';
import { errorHeaders } from '../../graphql/errors/errorHeaders.js';
import { toHttpError } from '../errors/toHttpError.js';
import { OAuthError } from './OAuthError.js';

/** Renders what goes wrong at the token endpoint (RFC 6749 5.2), whoever found it. */
export function oauthErrorHandler(log: Logger) {
  return (failure: FastifyError | OAuthError, _request: FastifyRequest, reply: FastifyReply) => {
    if (failure instanceof OAuthError) {
      return reply.code(failure.status).headers(failure.headers).send(oauthBody(failure.code, failure.message));
    }
    const { error } = toHttpError(failure, log);
    const code = error.status >= 500 ? 'server_error' : 'invalid_request';
    return reply.code(error.status).headers(errorHeaders(error)).send(oauthBody(code, error.message));
  };
}

/** RFC 6749 5.2 allows neither quotes nor backslashes in a description. */
function oauthBody(error: string, message: string): object {
  return { error, error_description: message.replace(/["\\]/g, "'") };
}
