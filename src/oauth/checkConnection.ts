import { setTimeout as sleep } from 'node:timers/promises';
import { LockMode } from '@mikro-orm/core';
import { sql } from 'kysely';
import type { Database, EntityManager } from '../database/Database.js';
import { newId } from '../database/newId.js';
import { type Caller, reachableConnection } from '../domain/Caller.js';
import { Connection } from '../domain/Connection.js';
import { type CheckOutcome, type ConnectionCheck, Credential } from '../domain/Credential.js';
import { HOUR_MS } from '../domain/duration.js';
import { InputError } from '../domain/errors.js';
import type { GrantNotices } from './GrantNotices.js';
import {
  GrantLost,
  getProviderAccessToken,
  type ProviderAccessToken,
  type RefreshDependencies,
} from './getProviderAccessToken.js';
import { type LinkedConfiguration, type Provider, type ProviderAccount, ProviderError, requireProvider } from './Provider.js';
import { type Revocations, releaseGrant, SECOND_THOUGHTS_SECONDS } from './revokeAuthorization.js';
import { scopesToRequest } from './startAuthorization.js';

export interface CheckDependencies extends RefreshDependencies {
  readonly notices: GrantNotices;
  readonly revocations: Revocations;
}

type Sql = ReturnType<CheckDependencies['database']['sql']>;

/** Seconds for which other callers get the same result, because the provider allows one request a second and 15 a minute. */
const GOOD_FOR_SECONDS = 10;
/** Longer than a check can take, so that a lease expires only after a crash. */
const LEASE_SECONDS = 60;
const POLL_MS = 250;
const WAIT_MS = 45_000;
/** Maximum tries. A grant that changes during its check is checked again. */
const MOST_TRIES = 3;
/** Milliseconds to wait before a second look at an account, since the provider allows one a second. */
const SECOND_LOOK_AFTER_MS = 1_100;

/**
 * Range of hours between two daily checks. It is random and a little less than a day, so that checks which fell together
 * drift apart.
 */
const DAY_HOURS = [22, 24] as const;
/** Hours until a grant is checked again when the provider could not be reached. */
const RETRY_HOURS = 1;

/** Concurrent checks of a process in its daily round. */
const AT_ONCE = 4;
/** Milliseconds; a round ends before the next one begins. */
const ROUND_MS = 4 * 60_000;

/**
 * Checks at once whether a connection's grant is valid, and returns the result. Calls within the same few seconds, in all
 * processes, return the same result. Throws an InputError: NOT_FOUND, INVALID (the connection's type has no grant).
 */
export async function checkConnection(
  dependencies: CheckDependencies,
  caller: Caller,
  input: { readonly connectionId: string },
): Promise<{ readonly result: ConnectionCheck; readonly connection: Connection | null }> {
  const find = () => dependencies.database.em().findOne(Connection, reachableConnection(caller, input.connectionId));
  const connection = await find();
  if (!connection) throw InputError.of('NOT_FOUND', 'There is no such connection.', 'connectionId');
  const { type } = connection;
  const unlinked = `A ${type} has no grant to ask after: broadcastTestEvent sends a sample and says what the ${type} answered.`;
  const provider = requireProvider(dependencies.providers, type, unlinked);
  return { result: await checkOnce(dependencies, provider, connection.id), connection: await find() };
}

/**
 * Does the daily round: checks every ACTIVE connection that is due, a few concurrently, each in one process. It ends when
 * none is due, when the process stops, or after four minutes; the next round does the rest. Returns how many were checked.
 */
export async function checkDueConnections(
  dependencies: CheckDependencies,
  stopping: AbortSignal = new AbortController().signal,
): Promise<number> {
  const deadline = Date.now() + ROUND_MS;
  let count = 0;
  const goRound = async (): Promise<void> => {
    while (!stopping.aborted && Date.now() < deadline) {
      const lease = await takeDue(dependencies);
      if (!lease) return;
      await check(dependencies, dependencies.providers.get(lease.provider) as Provider, lease);
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, goRound));
  return count;
}

/** Returns the next check time of a valid grant. */
export function nextCheckAt(now: Date): Date {
  const [least, most] = DAY_HOURS;
  return new Date(now.getTime() + (least + Math.random() * (most - least)) * HOUR_MS);
}

/** The right to check one connection. */
interface Lease {
  readonly id: string;
  readonly connectionId: number;
}

/** Checks the connection, waits for a check that is under way, or returns a recent result. */
async function checkOnce(dependencies: CheckDependencies, provider: Provider, connectionId: number): Promise<ConnectionCheck> {
  const { database } = dependencies;
  const deadline = Date.now() + WAIT_MS;
  for (;;) {
    const { rows } = await sql<{ authorized: boolean; last_check: ConnectionCheck | null; under_way: boolean; recent: boolean }>`
      select access_token is not null as authorized, last_check,
        check_leased_by is not null and check_leased_until > now() as under_way,
        check_leased_by is null and check_leased_until > now() as recent
      from credentials where connection_id = ${connectionId}`.execute(database.sql());
    const [found] = rows;
    if (found?.recent && found.last_check) return found.last_check;
    if (!found?.under_way) {
      if (!found?.authorized) return saying('not_authorized', 'It has no grant: the merchant has to connect.');
      const lease = { id: newId(), connectionId };
      if (await takeLease(database.sql(), lease)) return check(dependencies, provider, lease);
    }
    if (Date.now() > deadline) return saying('unreachable', 'Another check of this connection takes very long. Try again later.');
    await sleep(POLL_MS);
  }
}

/** Takes the lease in one statement, which decides who checks. Other callers read the result. */
async function takeLease(db: Sql, { id, connectionId }: Lease) {
  const { rows } = await sql`
    update credentials
    set check_leased_by = ${id}::uuid, check_leased_until = now() + make_interval(secs => ${LEASE_SECONDS})
    where connection_id = ${connectionId} and (check_leased_until is null or check_leased_until <= now())
    returning connection_id`.execute(db);
  return rows.length === 1;
}

/** Takes the lease of the connection that has been due longest. After a crash it is due again in an hour. */
async function takeDue({ database, providers }: CheckDependencies): Promise<(Lease & { readonly provider: string }) | null> {
  const id = newId();
  const { rows } = await sql<{ connection_id: string; provider: string }>`
    with due as (
      select g.connection_id from credentials g join connections c on c.id = g.connection_id
      where g.next_check_at <= now() and g.access_token is not null and c.status = 'active'
        and g.provider = any(${[...providers].filter(([, provider]) => provider).map(([id]) => id)}::text[])
        and (g.check_leased_until is null or g.check_leased_until <= now())
      order by g.next_check_at limit 1 for update of g skip locked
    )
    update credentials g
    set check_leased_by = ${id}::uuid, check_leased_until = now() + make_interval(secs => ${LEASE_SECONDS}),
      next_check_at = now() + make_interval(hours => ${RETRY_HOURS})
    from due where g.connection_id = due.connection_id
    returning g.connection_id, g.provider`.execute(database.sql());
  const [row] = rows;
  return row ? { id, connectionId: Number(row.connection_id), provider: row.provider } : null;
}

/** Asks the provider, applies the result and stores it, under a lease. */
async function check(dependencies: CheckDependencies, provider: Provider, lease: Lease): Promise<ConnectionCheck> {
  const { database, log } = dependencies;
  try {
    let result: ConnectionCheck | null = null;
    for (let tries = 0; !result && tries < MOST_TRIES; tries += 1) {
      result = await decide(dependencies, provider, lease, await ask(dependencies, provider, lease.connectionId));
    }
    result ??= await store(
      database.sql(),
      lease,
      saying('unreachable', 'The grant was renewed while it was checked. Try again.'),
    );
    const { outcome, missingScopes } = result;
    const fields = { connectionId: lease.connectionId, outcome, ...(missingScopes.length > 0 ? { missingScopes } : {}) };
    if (outcome === 'healthy') log.debug(fields, 'A connection was checked');
    else if (outcome === 'unreachable') log.info(fields, 'A connection could not be checked');
    else log.warn(fields, 'A check found that the merchant has to connect again');
    return result;
  } catch (error) {
    await sql`
      update credentials set check_leased_by = null, check_leased_until = null
      where connection_id = ${lease.connectionId} and check_leased_by = ${lease.id}::uuid`.execute(database.sql());
    throw error;
  }
}

/** The provider's response. `version` is that of the checked credential. */
type Finding =
  | { readonly kind: 'answered'; readonly version: number; readonly account: ProviderAccount }
  | { readonly kind: 'denied'; readonly version: number }
  | { readonly kind: 'none' }
  | { readonly kind: 'lost' }
  | { readonly kind: 'unreachable'; readonly reason: string };

/**
 * Refreshes the access token, unless that was just done, because a refresh fails for a lost grant and returns the scopes.
 * Then reads the account. When the API refuses the token, it is refreshed once more. Only a readable `invalid_grant` means a
 * lost grant: outages, rate limits and unreadable responses say nothing about it.
 */
async function ask(dependencies: CheckDependencies, provider: Provider, connectionId: number): Promise<Finding> {
  const credential = await dependencies.database.em().findOne(Credential, { connectionId });
  if (!credential?.accessToken) return { kind: 'none' };
  try {
    const token = await getProviderAccessToken(
      dependencies,
      connectionId,
      isJustRenewed(credential) ? undefined : credential.version,
    );
    const asked = await askAccount(provider, token);
    if (asked !== 'refused') return await lookTwice(provider, credential, token, asked);
    const newer = await getProviderAccessToken(dependencies, connectionId, token.version);
    const again = await askAccount(provider, newer);
    if (again !== 'refused') return await lookTwice(provider, credential, newer, again);
    return { kind: 'unreachable', reason: `${provider.name} refuses a token that it has just issued.` };
  } catch (error) {
    if (error instanceof GrantLost) return { kind: 'lost' };
    if (error instanceof ProviderError) return { kind: 'unreachable', reason: reasonFor(error, provider) };
    throw error;
  }
}

/**
 * Returns the reason for the merchant. The provider's message about this server's own credentials is logged instead, since
 * it does not concern merchants.
 */
function reasonFor({ kind, message }: ProviderError, { name }: Provider): string {
  return kind === 'configuration'
    ? `${name} refused this server's own credentials. The operator of this server has to mend it.`
    : message;
}

/** Returns whether a refresh would be useless: there is no refresh token, or the token was just refreshed. */
function isJustRenewed({ refreshToken, refreshLeasedBy, refreshLeasedUntil, refreshProblem }: Credential): boolean {
  const coolsDown = !refreshLeasedBy && (refreshLeasedUntil?.getTime() ?? 0) > Date.now();
  return !refreshToken || (coolsDown && !refreshProblem);
}

async function askAccount(provider: Provider, accessToken: ProviderAccessToken, tooSoon = false): Promise<Finding | 'refused'> {
  const { token, version, accountId } = accessToken;
  try {
    return { kind: 'answered', version, account: await provider.account(token, accountId) };
  } catch (error) {
    if (error instanceof ProviderError && error.kind === 'grant') {
      return error.code === 'permission_denied' ? { kind: 'denied', version } : 'refused';
    }
    const waitMs = (error instanceof ProviderError ? (error.retryAfterSeconds ?? 0) : 0) * 1_000;
    // Another connection of the same account may have been checked in this second.
    if (tooSoon || waitMs === 0 || waitMs > SECOND_LOOK_AFTER_MS) throw error;
    await sleep(SECOND_LOOK_AFTER_MS);
    return askAccount(provider, accessToken, true);
  }
}

/** Reads a different account a second time, because another account ends the connection's grant. */
async function lookTwice(
  provider: Provider,
  credential: Credential,
  token: ProviderAccessToken,
  found: Finding,
): Promise<Finding> {
  if (found.kind !== 'answered' || !credential.accountId || found.account.id === credential.accountId) return found;
  await sleep(SECOND_LOOK_AFTER_MS);
  const again = await askAccount(provider, token);
  if (again !== 'refused' && again.kind === 'answered' && again.account.id === found.account.id) return found;
  return { kind: 'unreachable', reason: `${provider.name} did not say clearly which account this is.` };
}

/** Applies the result and stores it. Returns null when the checked grant is no longer the newest. */
function decide(
  dependencies: CheckDependencies,
  provider: Provider,
  lease: Lease,
  finding: Finding,
): Promise<ConnectionCheck | null> {
  const { database } = dependencies;
  const storing = (result: ConnectionCheck) => store(database.sql(), lease, result);
  switch (finding.kind) {
    case 'none':
      return storing(saying('not_authorized', 'It has no grant: the merchant has to connect.'));
    case 'lost':
      return storing(
        saying(
          'revoked',
          `${provider.name} no longer accepts the grant: the app was uninstalled there, or its access was withdrawn. The merchant has to connect again.`,
        ),
      );
    case 'unreachable':
      return storing(saying('unreachable', `Nothing was found out, and nothing was changed. ${finding.reason}`));
    default:
      return database.transaction(async (em) => {
        const { connectionId } = lease;
        const connection = await em.findOne(Connection, { id: connectionId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
        const credential = await em.findOne(Credential, { connectionId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
        if (!connection || credential?.version !== finding.version) return null;
        const both = { connection, credential };
        const account = finding.kind === 'answered' ? finding.account : null;
        const result =
          account && credential.accountId && account.id !== credential.accountId
            ? await giveUp(dependencies, em, provider, both, account)
            : await compareScopes(dependencies, em, provider, both, account);
        return store(database.sql(em), lease, result);
      });
  }
}

interface Both {
  readonly connection: Connection;
  readonly credential: Credential;
}

/**
 * Holds the events, which would go to an account that the merchant did not choose, and queues the revocation of the grant.
 * The revocation waits, since the merchant may choose this account on purpose. The credential keeps the previous account.
 */
async function giveUp(
  dependencies: CheckDependencies,
  em: EntityManager,
  provider: Provider,
  { connection, credential }: Both,
  found: ProviderAccount,
): Promise<ConnectionCheck> {
  const expected = { id: credential.accountId as string, name: credential.accountName ?? null };
  const reason = `The grant leads to another ${provider.name} account (${found.name ?? found.id}) than the connection belongs to (${expected.name ?? expected.id}): connect again.`;
  await releaseGrant(dependencies, em, connection.id, { accountId: found.id, afterSeconds: SECOND_THOUGHTS_SECONDS });
  const wasActive = connection.status === 'active';
  if (wasActive)
    em.assign(connection, {
      status: 'reauthorization_required',
      statusReason: reason,
      statusReasonCode: 'account_changed',
      updatedAt: new Date(),
    });
  await em.flush();
  if (wasActive) await dependencies.notices.reauthorizationRequired(em, connection);
  await dependencies.notices.accountChanged(em, connection, { expected, found });
  return saying('account_changed', reason, { account: found });
}

/**
 * Compares the scopes that the connection requests and needs with those of the grant. Without an account, the provider has
 * refused the request for lack of a scope.
 */
async function compareScopes(
  { database, notices }: CheckDependencies,
  em: EntityManager,
  provider: Provider,
  both: Both,
  account: ProviderAccount | null,
): Promise<ConnectionCheck> {
  const { connection, credential } = both;
  if (account) em.assign(credential, { accountId: account.id, accountName: account.name, accountTimezone: account.timezone });
  const { rows } = await sql`
    select from subscriptions where connection_id = ${connection.id} and is_active limit 1`.execute(database.sql(em));
  const isSubscribed = rows.length > 0;
  const refused = account ? [] : provider.scopes.filter(({ required }) => required).map(({ name }) => name);
  const wanted = scopesToRequest(provider, connection, isSubscribed);
  const lacking = wanted.filter((scope) => !credential.scopes.includes(scope));
  const missing = [...new Set([...refused, ...lacking])];
  const blocking = isSubscribed && missing.includes(provider.deliveryScope) ? provider.deliveryScope : null;
  await recordMissingScopes({ notices }, em, both, { missing, blocking });
  if (missing.length > 0) {
    const effect = blocking ? 'Events are held until the merchant connects again.' : 'Events go out all the same.';
    const next = connection.status === 'active' || blocking ? ` ${effect}` : '';
    return saying('scopes_missing', `The grant lacks ${missing.join(', ')}.${next} Connecting again asks for what is missing.`, {
      account,
      missingScopes: missing,
    });
  }
  const rest =
    connection.status === 'active' ? '' : ` The connection is not active: ${connection.statusReason ?? connection.status}`;
  return saying('healthy', `${provider.name} honours the grant.${rest}`, { account });
}

function saying(
  outcome: CheckOutcome,
  message: string,
  { account = null, missingScopes = [] }: Partial<Pick<ConnectionCheck, 'account' | 'missingScopes'>> = {},
): ConnectionCheck {
  return { outcome, message, account, missingScopes, checkedAt: new Date().toISOString() };
}

/** Stores the result for calls of the next seconds, and ends the lease after them. */
async function store(db: Sql, { id, connectionId }: Lease, result: ConnectionCheck): Promise<ConnectionCheck> {
  const isAnswer = result.outcome !== 'unreachable' && result.outcome !== 'not_authorized';
  const next = isAnswer ? nextCheckAt(new Date()) : new Date(Date.now() + RETRY_HOURS * HOUR_MS);
  await sql`
    update credentials set
      last_check = ${JSON.stringify(result)}::jsonb,
      checked_at = case when ${isAnswer} then now() else checked_at end,
      next_check_at = ${next.toISOString()}::timestamptz,
      check_leased_by = null,
      check_leased_until = now() + make_interval(secs => ${GOOD_FOR_SECONDS})
    where connection_id = ${connectionId} and check_leased_by = ${id}::uuid`.execute(db);
  return result;
}

/**
 * Records that the provider refuses a call for lack of a scope. The grant is still valid, so its tokens stay, but only a new
 * authorization adds the scope: the connection becomes REAUTHORIZATION_REQUIRED. The scope is listed in `missingScopes` and
 * requested from now on.
 */
export function declareScopeMissing(
  { database, notices }: { readonly database: Database; readonly notices: GrantNotices },
  connectionId: number,
  version: number,
  scope: string,
): Promise<void> {
  return database.transaction(async (em) => {
    const connection = await em.findOne(Connection, { id: connectionId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    const credential = await em.findOne(Credential, { connectionId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (connection?.status !== 'active' || credential?.version !== version) return;
    const configuration = connection.configuration as LinkedConfiguration;
    const { scopes } = configuration;
    if (!scopes.includes(scope)) connection.configuration = { ...configuration, scopes: [...scopes, scope] };
    const missing = [...new Set([...credential.toldMissingScopes, scope])];
    await recordMissingScopes({ notices }, em, { connection, credential }, { missing, blocking: scope });
  });
}

/**
 * Stores which scopes a grant lacks, in the given transaction, which holds both locks. A missing scope that blocks
 * deliveries makes an ACTIVE connection REAUTHORIZATION_REQUIRED. The organization is notified once of each missing scope,
 * and again after the scope was there in between.
 */
async function recordMissingScopes(
  { notices }: { readonly notices: GrantNotices },
  em: EntityManager,
  { connection, credential }: { readonly connection: Connection; readonly credential: Credential },
  { missing, blocking }: { readonly missing: readonly string[]; readonly blocking: string | null },
): Promise<void> {
  const hasNews = missing.some((scope) => !credential.toldMissingScopes.includes(scope));
  const grantedScopes = credential.scopes.filter((scope) => !missing.includes(scope));
  em.assign(credential, { scopes: grantedScopes, toldMissingScopes: [...missing] });
  const blocks = blocking !== null && connection.status === 'active';
  if (blocks) {
    const statusReason = `The grant lacks the scope ${blocking}: connect again and allow it.`;
    em.assign(connection, {
      status: 'reauthorization_required',
      statusReason,
      statusReasonCode: 'scope_missing',
      updatedAt: new Date(),
    });
  }
  await em.flush();
  if (blocks) await notices.reauthorizationRequired(em, connection);
  if (hasNews) await notices.scopesMissing(em, connection, { missingScopes: missing, grantedScopes });
}
