import { randomUUID } from 'node:crypto';
import { type DatabaseTrouble, databaseTrouble } from '../database/databaseTrouble.js';
import { type ErrorCode, SwitchboardError } from '../domain/errors.js';
import type { Logger } from '../domain/Logger.js';

export interface CallError {
  readonly error: SwitchboardError;
  /** Finds the error in the log. Set for unexpected errors. */
  readonly id: string | null;
}

interface Told {
  readonly code: ErrorCode;
  readonly message: string;
  /** The message in the log, for an operator. */
  readonly logged: string;
  readonly retryAfterSeconds: number;
}

const SOON = 'Try again in a few seconds.';

/** The response for each kind of database trouble. It names the true reason, because each has its own remedy. */
const TOLD: Readonly<Record<DatabaseTrouble, Told>> = {
  unreachable: {
    code: 'SERVICE_UNAVAILABLE',
    message: `The database can not be reached at the moment. ${SOON}`,
    logged: 'The database can not be reached',
    retryAfterSeconds: 5,
  },
  too_many_clients: {
    code: 'SERVICE_UNAVAILABLE',
    message: `The database has too many clients at the moment and takes no more connections. ${SOON}`,
    logged: 'The database takes no more connections: lower DATABASE_POOL_SIZE, run fewer processes, or raise its max_connections',
    retryAfterSeconds: 5,
  },
  busy: {
    code: 'SERVICE_UNAVAILABLE',
    message: `All database connections of this server are busy at the moment. ${SOON}`,
    logged: 'All connections of the pool were busy for too long: raise DATABASE_POOL_SIZE, or run more processes',
    retryAfterSeconds: 5,
  },
  full: {
    code: 'STORAGE_FULL',
    message: 'The database has no room left, so nothing was stored. What is there can still be read.',
    logged: 'The database has no room left',
    retryAfterSeconds: 30,
  },
  read_only: {
    code: 'SERVICE_UNAVAILABLE',
    message: `The database takes no changes at the moment, so nothing was stored. ${SOON}`,
    logged: 'The database takes no changes: it is a standby, or guards its last room',
    retryAfterSeconds: 30,
  },
};

/**
 * Converts an error to the response for a caller, for every transport. An unexpected error is logged with an id, and the caller
 * sees only that id.
 */
export function toCallError(error: unknown, log: Logger): CallError {
  if (error instanceof SwitchboardError) return { error, id: null };
  const trouble = databaseTrouble(error);
  if (trouble) {
    const { code, message, logged, retryAfterSeconds } = TOLD[trouble];
    log.error({ error: String(error), trouble }, logged);
    return { error: new SwitchboardError(code, message, { retryAfterSeconds }), id: null };
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

/**
 * Returns the headers of an error: the challenge for missing credentials (RFC 9110 11.6.1, RFC 6750 3), Retry-After (10.2.3),
 * Allow (10.2.1). The challenge is never `Basic`, because browsers would open a log-in dialog over the app.
 */
export function errorHeaders({ code, facts }: SwitchboardError): Record<string, string> {
  const headers: Record<string, string> = {};
  if (code === 'UNAUTHENTICATED' || facts.bearerError) {
    const parts = ['realm="switchboard"'];
    if (facts.bearerError) parts.push(`error="${facts.bearerError}"`);
    if (facts.scope) parts.push(`scope="${facts.scope}"`);
    headers['www-authenticate'] = `Bearer ${parts.join(', ')}`;
  }
  if (facts.retryAfterSeconds !== undefined) headers['retry-after'] = String(facts.retryAfterSeconds);
  if (facts.allow) headers.allow = facts.allow.join(', ');
  return headers;
}
