import { setTimeout as sleep } from 'node:timers/promises';
import { LockMode } from '@mikro-orm/core';
import { sql } from 'kysely';
import { type Cipher, columnIdentity } from '../database/Cipher.js';
import type { Database } from '../database/Database.js';
import { newId } from '../database/newId.js';
import { Connection } from '../domain/Connection.js';
import { Credential } from '../domain/Credential.js';
import { DAY_MS } from '../domain/duration.js';
import type { Logger } from '../domain/Logger.js';
import type { GrantNotices } from './GrantNotices.js';
import { ProviderError, type Providers, type TokenSet } from './Provider.js';

/** A token with less remaining lifetime is refreshed first. For a short lifetime the fraction applies instead. */
const FRESH_FOR_MS = 5 * 60_000;
const FRESH_PART = 1 / 5;
const POLL_MS = 150;
/** The error code when this server is not configured for the provider. */
const NOT_SET_UP = 'not_set_up';
/** Longer than a refresh can take. */
const WAIT_MS = 15_000;

/**
 * Returns a valid access token of a connection at its provider. A token that expires soon, or whose version the API has
 * refused, is refreshed by one caller among all processes: Postgres grants the lease. Other callers wait, and read the
 * credential before and after. A token that was just refreshed is returned as it is, however short its lifetime. Throws
 * GrantLost, or a ProviderError (transient or configuration) when no valid token can be obtained now.
 */
export async function getProviderAccessToken(
  dependencies: RefreshDependencies,
  connectionId: number,
  refusedVersion?: number,
): Promise<ProviderAccessToken> {
  const deadline = Date.now() + WAIT_MS;
  for (;;) {
    const credential = await dependencies.database.em().findOne(Credential, { connectionId });
    if (!credential?.accessToken) throw new GrantLost('The connection has no grant.');
    const livesForMs = credential.expiresAt.getTime() - dependencies.now();
    const current = (): ProviderAccessToken => ({
      token: dependencies.cipher.decrypt(credential.accessToken as string, columnIdentity.accessToken(connectionId)),
      version: credential.version,
      accountId: credential.accountId ?? null,
    });
    const refused = credential.version === refusedVersion;
    if (livesForMs > freshForMs(credential) && !refused) return current();
    // Without a refresh token, the access token is used until it expires.
    if (!credential.refreshToken) {
      if (livesForMs > 0 && !refused) return current();
      await dependencies.declareGrantLost(credential, 'The access token has expired, and there is no refresh token.');
      throw new GrantLost('There is no refresh token.');
    }

    const lease = await takeRefreshLease(dependencies.database, credential);
    if (lease) {
      try {
        await refreshCredential(dependencies, lease);
        continue;
      } catch (error) {
        // This refresh was ahead of time, so the current token is still valid.
        if (error instanceof ProviderError && livesForMs > 0 && !refused) return current();
        throw error;
      }
    }
    const coolsDownForMs = credential.refreshLeasedBy ? 0 : (credential.refreshLeasedUntil?.getTime() ?? 0) - Date.now();
    if (coolsDownForMs > 0) {
      const justRefreshed = credential.refreshProblem === null;
      if ((livesForMs > 0 || justRefreshed) && !refused) return current();
      throw new ProviderError(
        'transient',
        'refresh_failed',
        credential.refreshProblem ?? 'The access token could not be refreshed just now.',
        Math.ceil(coolsDownForMs / 1000),
      );
    }
    if (Date.now() > deadline) throw new ProviderError('transient', 'refresh_pending', 'The access token is being refreshed.', 5);
    await sleep(POLL_MS);
  }
}

function freshForMs({ lifetimeSeconds }: Credential): number {
  return Math.min(FRESH_FOR_MS, (lifetimeSeconds ?? Number.POSITIVE_INFINITY) * 1_000 * FRESH_PART);
}

/** An access token of the provider that is valid as far as we know. */
export interface ProviderAccessToken {
  readonly token: string;
  /** The version of its credential. Pass it when the API refuses the token. */
  readonly version: number;
  /** The provider's id of the token's account. Null when the provider did not name it. */
  readonly accountId: string | null;
}

/** The connection has no grant, and only a new authorization can create one. */
export class GrantLost extends Error {
  override readonly name = 'GrantLost';
}

/** Longer than a refresh can take (10 s), so that a lease expires only after a crash. */
const LEASE_SECONDS = 15;

interface RefreshLease {
  readonly id: string;
  readonly connectionId: number;
  readonly provider: string;
  /** The current refresh token, encrypted. */
  readonly refreshToken: string;
  readonly version: number;
}

/**
 * Takes the right to refresh in one statement, on the condition that the credential still has the version that was read.
 * Returns null for every other caller, in all processes, and during the pause after a refresh.
 */
async function takeRefreshLease(
  database: Database,
  { connectionId, version, provider, refreshToken }: Credential,
): Promise<RefreshLease | null> {
  const id = newId();
  const { rows } = await sql`
    update credentials
    set refresh_leased_by = ${id}::uuid, refresh_leased_until = now() + make_interval(secs => ${LEASE_SECONDS})
    where connection_id = ${connectionId} and version = ${version} and refresh_token is not null
      and (refresh_leased_until is null or refresh_leased_until < now())
    returning connection_id`.execute(database.sql());
  return rows.length === 1 ? { id, connectionId, version, provider, refreshToken: refreshToken as string } : null;
}

export interface RefreshDependencies {
  readonly database: Database;
  readonly cipher: Cipher;
  readonly providers: Providers;
  readonly log: Logger;
  /** Returns milliseconds since 1970. */
  readonly now: () => number;
  /** Marks the connection REAUTHORIZATION_REQUIRED, unless the credential has a newer version. */
  readonly declareGrantLost: (credential: Pick<Credential, 'connectionId' | 'version'>, reason: string) => Promise<boolean>;
}

/**
 * Seconds after a refresh, successful or not, during which nobody refreshes again. The provider allows 10 refreshes a
 * minute. A provider whose tokens live for seconds, or that refuses every new token, gets at most 600 refreshes an hour.
 */
const COOLDOWN_SECONDS = 6;
const MISCONFIGURED_COOLDOWN_SECONDS = 60;

/**
 * Refreshes under a lease (RFC 6749 6) and stores the new tokens before they are used. The version ensures that nothing
 * newer is overwritten. Only a readable `invalid_grant` ends the grant; an outage never does. Throws a ProviderError, or
 * GrantLost.
 */
async function refreshCredential(dependencies: RefreshDependencies, lease: RefreshLease): Promise<void> {
  const { providers, cipher, log } = dependencies;
  const provider = providers.get(lease.provider);
  try {
    if (!provider) throw new ProviderError('configuration', NOT_SET_UP, `${lease.provider} is not set up on this server.`);
    const tokens = await provider.refresh(cipher.decrypt(lease.refreshToken, columnIdentity.refreshToken(lease.connectionId)));
    if (!(await store(dependencies, lease, tokens)))
      log.warn({ connectionId: lease.connectionId }, 'A refresh came too late and was dropped');
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    if (error.kind === 'grant' && error.code === 'invalid_grant') {
      const lost = await dependencies.declareGrantLost(lease, `${provider?.name} no longer accepts the grant: connect again.`);
      // The refused grant was no longer the newest. The caller reads the credential again.
      if (!lost) return;
      throw new GrantLost(`${provider?.name} no longer accepts the grant.`);
    }
    log.warn({ connectionId: lease.connectionId, code: error.code, reason: error.message }, 'A token could not be renewed');
    await coolDown(dependencies, lease, error, provider?.name ?? lease.provider);
    throw error;
  }
}

/** Stores the tokens. Returns false when another version was stored meanwhile, which then stays. */
async function store({ database, cipher, now }: RefreshDependencies, lease: RefreshLease, tokens: TokenSet): Promise<boolean> {
  const { connectionId, version } = lease;
  const refreshToken = tokens.refreshToken && cipher.encrypt(tokens.refreshToken, columnIdentity.refreshToken(connectionId));
  const { rows } = await sql`
    update credentials set
      access_token = ${cipher.encrypt(tokens.accessToken, columnIdentity.accessToken(connectionId))},
      refresh_token = coalesce(${refreshToken}, refresh_token),
      scopes = coalesce(${tokens.scopes}::text[], scopes),
      expires_at = ${new Date(now() + tokens.expiresInSeconds * 1000).toISOString()},
      lifetime_seconds = ${tokens.expiresInSeconds},
      last_refreshed_at = ${new Date(now()).toISOString()},
      version = version + 1,
      refresh_leased_by = null,
      refresh_leased_until = now() + make_interval(secs => ${COOLDOWN_SECONDS}),
      refresh_problem = null
    where connection_id = ${connectionId} and version = ${version}
    returning connection_id`.execute(database.sql());
  return rows.length === 1;
}

/**
 * Returns the reason for the merchant: what happened, and who must act. The provider's own message is used for an outage
 * only, where it is our own text. In other cases it is logged.
 */
function explain({ kind, code, message }: ProviderError, name: string): string {
  const sentences = {
    configuration: `${
      code === NOT_SET_UP ? message : `${name} refused this server's own credentials.`
    } The operator of this server has to mend it.`,
    grant: `${name} refused to renew it. It is tried again with the next event; if this stays so, connect again.`,
    transient: `${message} There is nothing to do: it is tried again with the next event.`,
  };
  return `The access token could not be renewed. ${sentences[kind]}`;
}

/** Turns the lease into a pause for all processes, and stores the reason. */
async function coolDown(
  { database }: RefreshDependencies,
  lease: RefreshLease,
  error: ProviderError,
  providerName: string,
): Promise<void> {
  const { kind, retryAfterSeconds } = error;
  const seconds = retryAfterSeconds ?? (kind === 'configuration' ? MISCONFIGURED_COOLDOWN_SECONDS : COOLDOWN_SECONDS);
  await sql`
    update credentials set
      refresh_leased_by = null,
      refresh_leased_until = now() + make_interval(secs => ${Math.min(seconds, 300)}),
      refresh_problem = ${explain(error, providerName)}
    where connection_id = ${lease.connectionId} and refresh_leased_by = ${lease.id}::uuid`.execute(database.sql());
}

interface Dependencies {
  readonly database: Database;
  readonly notices: GrantNotices;
}

/**
 * Marks a grant as lost. Returns false without a change when the credential has a newer version than the refused one, so
 * that a race between two refreshers never ends a grant. Deliveries are held, none is lost.
 */
export function declareGrantLost(
  { database, notices }: Dependencies,
  { connectionId, version }: Pick<Credential, 'connectionId' | 'version'>,
  reason: string,
): Promise<boolean> {
  return database.transaction(async (em) => {
    const connection = await em.findOne(Connection, { id: connectionId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    const credential = await em.findOne(Credential, { connectionId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (!connection || credential?.version !== version) return false;
    em.assign(credential, {
      accessToken: null,
      refreshToken: null,
      scopes: [],
      version: version + 1,
      refreshLeasedBy: null,
      refreshLeasedUntil: null,
      refreshProblem: null,
    });
    // A disabled connection stays disabled. Enabling it will show that it has no grant.
    if (connection.status !== 'active') {
      await em.flush();
      return true;
    }
    em.assign(connection, {
      status: 'reauthorization_required',
      statusReason: reason,
      statusReasonCode: 'grant_lost',
      updatedAt: new Date(),
    });
    await em.flush();
    await notices.reauthorizationRequired(em, connection);
    return true;
  });
}

/** A provider may expire a refresh token after 90 days without use. The difference of a month leaves time for outages. */
const IDLE_DAYS = 60;
/** The chore runs every hour. Idle grants are spread over the day, the longest unused first. */
const RUNS_A_DAY = 24;
const AT_LEAST = 20;

/**
 * Refreshes grants that were not used for 60 days, so that a shop without parcels stays connected. After an outage the next
 * run tries again. A grant that is refused is marked as lost, so that this is known before the next parcel. Returns how
 * many.
 */
export async function refreshIdleGrants(dependencies: RefreshDependencies): Promise<number> {
  const { database, log, now } = dependencies;
  const idleSince = new Date(now() - IDLE_DAYS * DAY_MS).toISOString();
  const { rows } = await sql<{ connection_id: string; version: number }>`
    with idle as (
      select connection_id, version, coalesce(last_refreshed_at, created_at) as used_at from credentials
      where refresh_token is not null and coalesce(last_refreshed_at, created_at) < ${idleSince}
    )
    select connection_id, version from idle order by used_at
    limit greatest(${AT_LEAST}, (select count(*) from idle) / ${RUNS_A_DAY})`.execute(database.sql());
  let refreshed = 0;
  for (const { connection_id: connectionId, version } of rows) {
    try {
      await getProviderAccessToken(dependencies, Number(connectionId), version);
      refreshed += 1;
    } catch (error) {
      if (!(error instanceof ProviderError || error instanceof GrantLost)) throw error;
      log.warn({ connectionId, reason: error.message }, 'An idle grant could not be refreshed');
    }
  }
  return refreshed;
}
