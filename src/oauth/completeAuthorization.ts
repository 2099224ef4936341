import { setTimeout as sleep } from 'node:timers/promises';
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
  readonly exchanges: Exchanges;
}

/** How long a browser waits for an outcome: a page shall be there within a second. */
const PATIENCE_MS = 800;
/** The longest exchange takes 10 s at the token endpoint and up to 18 s for the account. */
const LONGEST_EXCHANGE_MS = 30_000;

/**
 * The exchanges of this process that are under way, whether or not a browser still waits for them. However many requests
 * come with the same state, they wait for one exchange, or for one look at what another process makes of it.
 */
export class Exchanges {
  readonly #underWay = new Map<string, Promise<CallbackOutcome>>();
  readonly #looks = new Map<string, Promise<CallbackOutcome>>();

  add({ id }: Authorization, exchange: Promise<CallbackOutcome>): void {
    keepWhileUnderWay(this.#underWay, id, exchange);
  }

  /** The outcome that is in the making here, or else what `look` finds; whoever comes while somebody looks gets the same. */
  outcomeOf({ id }: Authorization, look: () => Promise<CallbackOutcome>): Promise<CallbackOutcome> {
    const known = this.#underWay.get(id) ?? this.#looks.get(id);
    if (known) return known;
    const looking = look();
    keepWhileUnderWay(this.#looks, id, looking);
    return looking;
  }

  /** Waits until all of them have stored their outcome, 30 s at most. */
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

export interface CallbackRequest {
  readonly query: URLSearchParams;
  /** The value of the binding cookie of the given authorization, if the browser brought one. */
  readonly browserBinding: (authorizationId: string) => string | undefined;
}

/**
 * Completes an authorization from a request to the callback (RFC 6749 4.1.2 to 4.1.4).
 * Exactly one request with a given state exchanges its code, however many come and in however many processes;
 * the others wait for it and show its outcome. Whoever has waited for 0.8 s gets `in_progress`, and asks again; the exchange
 * goes on meanwhile.
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

/** What becomes of the exchange that another request began, here or in another process. */
function waitForOther(dependencies: Dependencies, authorization: Authorization, deadline: number): Promise<CallbackOutcome> {
  const look = () => waitForOutcome(dependencies, authorization, deadline);
  return outcomeBy(deadline, authorization, dependencies.exchanges.outcomeOf(authorization, look));
}

/** The exchange's outcome, or `in_progress` when it takes longer than the deadline; then it goes on by itself. */
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
