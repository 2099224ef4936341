import { setTimeout as sleep } from 'node:timers/promises';
import { LockMode } from '@mikro-orm/core';
import { sql } from 'kysely';
import { columnIdentity } from '../database/Cipher.js';
import type { Database, EntityManager } from '../database/Database.js';
import { databaseTrouble } from '../database/databaseTrouble.js';
import { Authorization } from '../domain/Authorization.js';
import { Connection } from '../domain/Connection.js';
import type { Logger } from '../domain/Logger.js';
import { hashSecret, secretsEqual } from '../domain/secrets.js';
import { explainOutcome } from './explainOutcome.js';
import { type Provider, ProviderError } from './Provider.js';
import type { Revocation } from './revokeAuthorization.js';
import { findAccount, revocationOf, type StoreDependencies, storeGrant } from './storeGrant.js';

interface Dependencies extends ExchangeDependencies {
  readonly database: Database;
  readonly log: Logger;
  readonly exchanges: Exchanges;
}

/** Milliseconds for which a browser waits for an outcome, so that it gets a page within a second. */
const PATIENCE_MS = 800;
/** The longest exchange takes 10 s at the token endpoint and up to 18 s for the account. */
const LONGEST_EXCHANGE_MS = 30_000;

/**
 * The exchanges that are under way in this process, whether or not a browser waits for them. All requests with the same
 * state wait for one exchange, or for one query of another process's outcome.
 */
export class Exchanges {
  readonly #underWay = new Map<string, Promise<CallbackOutcome>>();
  readonly #looks = new Map<string, Promise<CallbackOutcome>>();

  add({ id }: Authorization, exchange: Promise<CallbackOutcome>): void {
    keepWhileUnderWay(this.#underWay, id, exchange);
  }

  /** Returns the outcome of a running exchange, or else of `look`. Concurrent callers share one look. */
  outcomeOf({ id }: Authorization, look: () => Promise<CallbackOutcome>): Promise<CallbackOutcome> {
    const known = this.#underWay.get(id) ?? this.#looks.get(id);
    if (known) return known;
    const looking = look();
    keepWhileUnderWay(this.#looks, id, looking);
    return looking;
  }

  /** Waits until all exchanges have stored their outcomes, at most 30 s. */
  async finish(): Promise<void> {
    const tooLate = new AbortController();
    const deadline = sleep(LONGEST_EXCHANGE_MS, undefined, { signal: tooLate.signal }).catch(() => {});
    await Promise.race([Promise.allSettled(this.#underWay.values()), deadline]);
    tooLate.abort();
  }
}

function keepWhileUnderWay(map: Map<string, Promise<CallbackOutcome>>, id: string, outcome: Promise<CallbackOutcome>): void {
  map.set(id, outcome);
  const forget = (): boolean => map.delete(id);
  outcome.then(forget, forget);
}

interface CallbackRequest {
  readonly query: URLSearchParams;
  /** Returns the value of the authorization's binding cookie, if the browser sent one. */
  readonly browserBinding: (authorizationId: string) => string | undefined;
}

/**
 * Completes an authorization from a request to the callback (RFC 6749 4.1.2 to 4.1.4). Of all requests with the same state,
 * in all processes, exactly one exchanges the code. The others wait for it and return its outcome. A request that has waited
 * for 0.8 s returns `in_progress` while the exchange goes on, and the browser asks again.
 */
export async function completeAuthorization(
  dependencies: Dependencies,
  provider: Provider,
  { query, browserBinding }: CallbackRequest,
): Promise<CallbackOutcome> {
  const { database } = dependencies;
  const deadline = performance.now() + PATIENCE_MS;
  const state = readState(query);
  const authorization = state === null ? null : await findByState(database, provider.id, state);
  if (!authorization) return { kind: 'unknown_state' };
  if (authorization.status !== 'pending') return { kind: authorization.status, authorization };
  if (authorization.consumedAt !== null) return waitForOther(dependencies, authorization, deadline);
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
  if (!taken) return waitForOther(dependencies, authorization, deadline);

  if (parameters.kind === 'error') {
    const denied = parameters.error === 'access_denied';
    const status = denied ? 'denied' : 'failed';
    const outcome = { status, errorCode: parameters.error, errorDescription: parameters.description } as const;
    return { kind: status, authorization: await recordOutcome(dependencies, taken, outcome, provider.name) };
  }
  return exchangeInBackground(dependencies, provider, taken, parameters.code, deadline);
}

/** Returns the outcome of an exchange that another request began, in this process or another. */
function waitForOther(dependencies: Dependencies, authorization: Authorization, deadline: number): Promise<CallbackOutcome> {
  const look = () => waitForOutcome(dependencies, authorization, deadline);
  return outcomeBy(deadline, authorization, dependencies.exchanges.outcomeOf(authorization, look));
}

/**
 * Returns the exchange's outcome, or `in_progress` at the deadline, after which the exchange continues in the background.
 */
function exchangeInBackground(
  dependencies: Dependencies,
  provider: Provider,
  authorization: Authorization,
  code: string,
  deadline: number,
): Promise<CallbackOutcome> {
  const exchange = exchangeCode(dependencies, provider, authorization, code);
  dependencies.exchanges.add(authorization, exchange);
  exchange.catch((error: unknown) => {
    const { id } = authorization;
    dependencies.log.error({ authorizationId: id, error: String(error) }, 'The outcome of an authorization could not be stored');
  });
  return outcomeBy(deadline, authorization, exchange);
}

async function outcomeBy(
  deadline: number,
  authorization: Authorization,
  outcome: Promise<CallbackOutcome>,
): Promise<CallbackOutcome> {
  const soon = new AbortController();
  const late = sleep(Math.max(0, deadline - performance.now()), null, { signal: soon.signal }).catch(() => null);
  const first = await Promise.race([outcome, late]).finally(() => soon.abort());
  return first ?? { kind: 'in_progress', authorization };
}

function findByState(database: Database, provider: string, state: string): Promise<Authorization | null> {
  return database.em().findOne(Authorization, { provider, stateHash: hashSecret(state) });
}

/** Takes the state in one statement, which decides who exchanges. Two statements would let two callbacks through. */
async function take(database: Database, id: string): Promise<Authorization | null> {
  const em = database.em();
  const { rows } = await sql`
    update authorizations set consumed_at = now(), error_code = null, error_description = null
    where id = ${id} and status = 'pending' and consumed_at is null and expires_at > now()
    returning id`.execute(database.sql(em));
  return rows.length > 0 ? em.findOneOrFail(Authorization, id) : null;
}

/** Stores the reason for a refused request on the authorization, which stays pending, so that developers can read it. */
async function refuse(
  database: Database,
  authorization: Authorization,
  code: 'browser_mismatch' | 'invalid_callback',
  reason: string,
): Promise<CallbackOutcome> {
  await database
    .em()
    .nativeUpdate(
      Authorization,
      { id: authorization.id, status: 'pending', consumedAt: null },
      { errorCode: code, errorDescription: reason },
    );
  return { kind: 'refused', code, authorization };
}

/** The outcome of a request to the callback. `authorization` is set whenever the state is known. */
export type CallbackOutcome =
  | { readonly kind: 'completed' | 'denied' | 'failed' | 'expired' | 'superseded'; readonly authorization: Authorization }
  /** The code is being exchanged, by this callback or another one with the same state. */
  | { readonly kind: 'in_progress'; readonly authorization: Authorization }
  /** The request itself is invalid. It does not use up the state. The authorization stores the reason for developers. */
  | { readonly kind: 'refused'; readonly code: 'browser_mismatch' | 'invalid_callback'; readonly authorization: Authorization }
  | { readonly kind: 'unknown_state' };

/** Maximum characters of a parameter. Providers' codes and our states are far shorter. */
const MAX_LENGTH = 4_096;

/** The parameters of a callback (RFC 6749 4.1.2, RFC 9207 2). Others are ignored, as RFC 6749 4.1.2 requires. */
const KNOWN = ['state', 'code', 'error', 'error_description', 'error_uri', 'iss'] as const;

type CallbackParameters =
  | { readonly kind: 'code'; readonly code: string }
  | { readonly kind: 'error'; readonly error: string; readonly description: string | null }
  | { readonly kind: 'refused'; readonly reason: string };

/** Returns the state if it occurs exactly once with a plausible length, else null. */
function readState(query: URLSearchParams): string | null {
  const [state, ...others] = query.getAll('state');
  return state && others.length === 0 && state.length <= 512 ? state : null;
}

/** Checks all parameters but the state. A refused request does not use up the state. */
function checkCallbackParameters(query: URLSearchParams, isIssuer: (iss: string) => boolean): CallbackParameters {
  const refuse = (reason: string): CallbackParameters => ({ kind: 'refused', reason });
  for (const name of KNOWN) {
    const values = query.getAll(name);
    if (values.length > 1) return refuse(`The parameter "${name}" came more than once.`);
    if ((values[0]?.length ?? 0) > MAX_LENGTH) return refuse(`The parameter "${name}" is too long.`);
  }
  const iss = query.get('iss');
  if (iss !== null && !isIssuer(iss)) return refuse('The answer names another issuer than the one that was asked.');

  const code = query.get('code');
  const error = query.get('error');
  if (code && error) return refuse('The answer holds a code and an error at once.');
  if (code) return { kind: 'code', code };
  if (error)
    return {
      kind: 'error',
      error: printable(error, 64),
      description: printable(query.get('error_description') ?? '', 500) || null,
    };
  return refuse('The answer holds neither a code nor an error.');
}

/**
 * Cleans text from the callback, which anyone can have written: one line of limited length. It is escaped wherever it is
 * shown.
 */
function printable(text: string, length: number): string {
  return text.replace(/\p{C}/gu, ' ').trim().slice(0, length);
}

interface ExchangeDependencies extends StoreDependencies {
  readonly log: Logger;
}

/**
 * Exchanges the code (RFC 6749 4.1.3, RFC 7636 4.5), once and without retry because a code works once. Then reads the
 * account and stores the grant. Every failure is stored on the authorization, where it can be read.
 */
async function exchangeCode(
  dependencies: ExchangeDependencies,
  provider: Provider,
  authorization: Authorization,
  code: string,
): Promise<CallbackOutcome> {
  const { cipher, revocations, log } = dependencies;
  let grant: Revocation | null = null;
  try {
    const codeVerifier = cipher.decrypt(authorization.codeVerifier ?? '', columnIdentity.codeVerifier(authorization.id));
    const tokens = await provider.exchange({ code, codeVerifier, redirectUri: authorization.redirectUri });
    const account = await findAccount(dependencies, provider, tokens.accessToken);
    grant = revocationOf(provider, tokens, account);
    const store = () => storeGrant(dependencies, provider, authorization, tokens, account);
    // The code is used up. A busy database may accept the grant at the second try.
    return await store().catch((error) => (databaseTrouble(error) ? store() : Promise.reject(error)));
  } catch (error) {
    const failure = error instanceof ProviderError ? error : null;
    if (!failure) {
      log.error({ authorizationId: authorization.id, error: String(error) }, 'Completing an authorization failed unexpectedly');
    }
    const outcome: FailedOutcome = {
      status: 'failed',
      errorCode: failure?.code ?? 'internal_error',
      errorDescription: failure?.message ?? 'The server could not complete the authorization.',
    };
    // The grant is not stored, so it is revoked. A grant of an unknown account may belong to the connection's own account,
    // where revoking would end the stored grant too.
    const revokeGrant = (em: EntityManager) => (grant?.accountId ? revocations.add(em, grant) : Promise.resolve());
    const recorded = await recordOutcome(dependencies, authorization, outcome, provider.name, revokeGrant);
    // The grant was stored although the database reported an error.
    return { kind: recorded.status === 'completed' ? 'completed' : 'failed', authorization: recorded };
  }
}

const POLL_MS = 100;
/** Milliseconds after which a process that took the state must have crashed. */
export const INTERRUPTED_AFTER_MS = 60_000;

/**
 * Waits for the outcome of the callback that took the state. Returns `in_progress` when there is none by the deadline (of
 * `performance.now()`). Never exchanges a code.
 */
async function waitForOutcome(
  { database }: { database: Database },
  { id }: Authorization,
  deadline: number,
): Promise<CallbackOutcome> {
  for (;;) {
    const authorization = await database.em().findOneOrFail(Authorization, id);
    if (authorization.status !== 'pending') return { kind: authorization.status, authorization };
    // No request has taken the state, and this one could not: by the database's clock it has expired.
    if (!authorization.consumedAt) return { kind: 'expired', authorization: await expireAuthorization({ database }, id) };
    if (authorization.consumedAt.getTime() < Date.now() - INTERRUPTED_AFTER_MS) {
      return { kind: 'failed', authorization: await recordInterruption({ database }, authorization) };
    }
    if (performance.now() + POLL_MS > deadline) return { kind: 'in_progress', authorization };
    await sleep(POLL_MS);
  }
}

/**
 * Stores that the server stopped between taking the state and storing the tokens. The code is used up, so a new
 * authorization is needed.
 */
export function recordInterruption(dependencies: { database: Database }, authorization: Authorization): Promise<Authorization> {
  const errorDescription = 'The server was stopped while it exchanged the code.';
  const outcome = { status: 'failed', errorCode: 'interrupted', errorDescription } as const;
  return recordOutcome(dependencies, authorization, outcome, authorization.provider);
}

interface FailedOutcome {
  readonly status: 'denied' | 'failed';
  readonly errorCode: string;
  /** For developers. Merchants read `explainOutcome`. */
  readonly errorDescription: string | null;
}

/**
 * Stores the outcome of an authorization that did not link the connection. A connection without a grant gets the reason. An
 * active connection stays active, since a failed authorization does not end its grant.
 */
function recordOutcome(
  { database }: { database: Database },
  { id, connectionId }: Authorization,
  outcome: FailedOutcome,
  providerName: string,
  /** Further writes in the same transaction, done only when the outcome is stored. */
  also: (em: EntityManager) => Promise<void> = async () => {},
): Promise<Authorization> {
  return database.transaction(async (em) => {
    // All code locks the connection first and the authorization second. A deletion locks them in this order too.
    const connection = connectionId ? await em.findOne(Connection, connectionId, { lockMode: LockMode.PESSIMISTIC_WRITE }) : null;
    const authorization = await em.findOneOrFail(Authorization, id, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (authorization.status !== 'pending') return authorization;
    em.assign(authorization, { ...outcome, codeVerifier: null, completedAt: new Date() });
    if (connection?.status === 'pending_authorization') {
      connection.statusReasonCode = outcome.status === 'denied' ? 'authorization_denied' : 'authorization_failed';
      connection.statusReason =
        outcome.status === 'denied'
          ? 'The last authorization was denied.'
          : `The last authorization failed: ${explainOutcome(outcome, providerName)}`;
      connection.updatedAt = new Date();
    }
    await em.flush();
    await also(em);
    return authorization;
  });
}

/**
 * Stores that an authorization expired before its state was used. Returns it as stored, which may be with another outcome.
 */
export async function expireAuthorization({ database }: { database: Database }, id: string): Promise<Authorization> {
  const em = database.em();
  await em.nativeUpdate(
    Authorization,
    { id, status: 'pending', consumedAt: null },
    {
      status: 'expired',
      codeVerifier: null,
      completedAt: new Date(),
      errorCode: 'expired',
      errorDescription: 'Nobody came back within ten minutes.',
    },
  );
  return em.findOneOrFail(Authorization, id);
}
