import { sql } from 'kysely';
import type { Database } from '../database/Database.js';
import { Authorization } from '../domain/Authorization.js';
import { hashSecret } from '../domain/hashSecret.js';
import type { Logger } from '../domain/Logger.js';
import { secretsEqual } from '../domain/secretsEqual.js';
import type { CallbackOutcome } from './CallbackOutcome.js';
import { checkCallbackParameters, readState } from './checkCallbackParameters.js';
import { type ExchangeDependencies, exchangeCode } from './exchangeCode.js';
import { expireAuthorization } from './expireAuthorization.js';
import type { Provider } from './Provider.js';
import { recordOutcome } from './recordOutcome.js';
import { waitForOutcome } from './waitForOutcome.js';

interface Dependencies extends ExchangeDependencies {
  readonly database: Database;
  readonly log: Logger;
}

export interface CallbackRequest {
  readonly query: URLSearchParams;
  /** The value of the binding cookie of the given authorization, if the browser brought one. */
  readonly browserBinding: (authorizationId: string) => string | undefined;
}

/**
 * Completes an authorization from a request to the callback (RFC 6749 4.1.2 to 4.1.4).
 * Exactly one request with a given state exchanges its code, however many come and in however many processes;
 * the others wait for it and show its outcome.
 */
export async function completeAuthorization(
  dependencies: Dependencies,
  provider: Provider,
  { query, browserBinding }: CallbackRequest,
): Promise<CallbackOutcome> {
  const { database } = dependencies;
  const state = readState(query);
  const authorization = state === null ? null : await findByState(database, provider.id, state);
  if (!authorization) return { kind: 'unknown_state' };
  if (authorization.status !== 'pending') return { kind: authorization.status, authorization };
  if (authorization.consumedAt !== null) return waitForOutcome(dependencies, authorization);
  if (authorization.expiresAt.getTime() <= Date.now()) {
    const expired = await expireAuthorization(dependencies, authorization.id);
    return { kind: 'expired', authorization: expired };
  }

  const { browserBindingHash } = authorization;
  if (browserBindingHash && !secretsEqual(hashSecret(browserBinding(authorization.id) ?? ''), browserBindingHash)) {
    return refuse(
      database,
      authorization,
      'browser_mismatch',
      'This authorization belongs to the browser in which it was started.',
    );
  }
  const parameters = checkCallbackParameters(query, (iss) => provider.isIssuer(iss));
  if (parameters.kind === 'refused') return refuse(database, authorization, 'invalid_callback', parameters.reason);

  const taken = await take(database, authorization.id);
  if (!taken) return waitForOutcome(dependencies, authorization);

  if (parameters.kind === 'error') {
    const denied = parameters.error === 'access_denied';
    const outcome = await recordOutcome(dependencies, taken, {
      status: denied ? 'denied' : 'failed',
      errorCode: parameters.error,
      errorDescription: parameters.description,
    });
    return { kind: denied ? 'denied' : 'failed', authorization: outcome };
  }
  return exchangeCode(dependencies, provider, taken, parameters.code);
}

function findByState(database: Database, provider: string, state: string): Promise<Authorization | null> {
  return database.em().findOne(Authorization, { provider, stateHash: hashSecret(state) });
}

/** The one statement that decides who exchanges. Two steps here would let two callbacks through. */
async function take(database: Database, id: string): Promise<Authorization | null> {
  const em = database.em();
  const row = await database
    .sql(em)
    .updateTable('authorizations')
    .set({ consumed_at: sql`now()`, error_code: null, error_description: null })
    .where('id', '=', id)
    .where('status', '=', 'pending')
    .where('consumed_at', 'is', null)
    .where('expires_at', '>', sql<Date>`now()`)
    .returning('id')
    .executeTakeFirst();
  return row ? em.findOneOrFail(Authorization, row.id) : null;
}

/** Notes on the still open attempt why a request was turned away, so that it can be read afterwards. */
async function refuse(database: Database, authorization: Authorization, code: string, reason: string): Promise<CallbackOutcome> {
  await database
    .em()
    .nativeUpdate(
      Authorization,
      { id: authorization.id, status: 'pending', consumedAt: null },
      { errorCode: code, errorDescription: reason },
    );
  return { kind: 'refused', reason, authorization };
}
