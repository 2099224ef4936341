import type { FastifyError } from 'fastify';
import { callErrors } from '../../domain/errorCatalogue.js';
import type { Logger } from '../../domain/Logger.js';
import { type ErrorCode, SwitchboardError } from '../../domain/SwitchboardError.js';
import { type CallError, toCallError } from '../../graphql/errors/toCallError.js';

/** Failures that Fastify finds itself, in our words: its own may repeat what was sent. By our code. */
const MESSAGES: Partial<Record<ErrorCode, string>> = {
  PAYLOAD_TOO_LARGE: 'The body is larger than this address takes.',
  UNSUPPORTED_MEDIA_TYPE: 'The body must be of a type that this address takes: application/json, unless documented otherwise.',
};

/** The same by Fastify's code. */
const MESSAGES_OF_FASTIFY: Readonly<Record<string, string>> = {
  FST_ERR_BAD_URL: 'The address has a percent sign that encodes nothing.',
  FST_ERR_MAX_PARAM_LENGTH: 'A part of the address is longer than any id.',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'The body is not as long as Content-Length says.',
};

/** What a caller outside GraphQL is told of a failure: ours, or one that Fastify found in the request. */
export function toHttpError(failure: unknown, log: Logger): CallError {
  const status = (failure as { statusCode?: unknown }).statusCode;
  if (failure instanceof SwitchboardError || typeof status !== 'number' || status >= 500) return toCallError(failure, log);
  const known = (Object.keys(callErrors) as ErrorCode[]).find((code) => callErrors[code].status === status);
  const code = known ?? 'BAD_USER_INPUT';
  return { error: new SwitchboardError(code, explain(failure, code)), id: null };
}

function explain(failure: unknown, code: ErrorCode): string {
  if (isUnreadable(failure)) return 'The body is not JSON.';
  const known = MESSAGES[code] ?? MESSAGES_OF_FASTIFY[String((failure as FastifyError).code)];
  return known ?? 'This is no request that this server can read.';
}

/** The parser's own words may hold a piece of the body. */
function isUnreadable(failure: unknown): boolean {
  return failure instanceof SyntaxError || /^FST_ERR_CTP_(INVALID|EMPTY)_JSON_BODY$/.test(String((failure as FastifyError).code));
}
