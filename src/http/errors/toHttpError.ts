import type { FastifyError } from 'fastify';
import { callErrors } from '../../domain/errorCatalogue.js';
import type { Logger } from '../../domain/Logger.js';
import { type ErrorCode, SwitchboardError } from '../../domain/SwitchboardError.js';
import { type CallError, toCallError } from '../../graphql/errors/toCallError.js';

/** Failures that Fastify finds itself, by status, in our words. */
const MESSAGES: Partial<Record<ErrorCode, string>> = {
  PAYLOAD_TOO_LARGE: 'The body is larger than this address takes.',
  UNSUPPORTED_MEDIA_TYPE: 'The body must be of a type that this address takes: application/json, unless documented otherwise.',
};

/** What a caller outside GraphQL is told of a failure: ours, or one that Fastify found in the request. */
export function toHttpError(failure: unknown, log: Logger): CallError {
  const status = (failure as { statusCode?: unknown }).statusCode;
  if (failure instanceof SwitchboardError || typeof status !== 'number' || status >= 500) return toCallError(failure, log);
  const known = (Object.keys(callErrors) as ErrorCode[]).find((code) => callErrors[code].status === status);
  const code = known ?? 'BAD_USER_INPUT';
  const message = isUnreadable(failure) ? 'The body is not JSON.' : (MESSAGES[code] ?? (failure as Error).message);
  return { error: new SwitchboardError(code, message), id: null };
}

/** The parser's own words may hold a piece of the body. */
function isUnreadable(failure: unknown): boolean {
  return failure instanceof SyntaxError || /^FST_ERR_CTP_(INVALID|EMPTY)_JSON_BODY$/.test(String((failure as FastifyError).code));
}
