import { randomUUID } from 'node:crypto';
import { isUnreachable } from '../../database/isUnreachable.js';
import type { Logger } from '../../domain/Logger.js';
import { SwitchboardError } from '../../domain/SwitchboardError.js';

export interface CallError {
  readonly error: SwitchboardError;
  /** Finds the error in the log; set when nobody foresaw it. */
  readonly id: string | null;
}

const RETRY_AFTER_SECONDS = 5;

/**
 * What a caller, by whatever transport, is told of a failure. What nobody foresaw goes to the log with an id, and the
 * caller sees the id and nothing else.
 */
export function toCallError(error: unknown, log: Logger): CallError {
  if (error instanceof SwitchboardError) return { error, id: null };
  if (isUnreachable(error)) {
    log.error({ error: String(error) }, 'The database can not be reached');
    const message = 'The database can not be reached at the moment. Try again in a few seconds.';
    return {
      error: new SwitchboardError('SERVICE_UNAVAILABLE', message, { retryAfterSeconds: RETRY_AFTER_SECONDS }),
      id: null,
    };
  }
  const id = randomUUID();
  log.error(
    { errorId: id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) },
    'A call failed unexpectedly',
  );
  return {
    error: new SwitchboardError('INTERNAL_SERVER_ERROR', `Something went wrong on our side. Tell support this id: ${id}`),
    id,
  };
}
