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

/** A token that has less than this to live is refreshed first, or less than this part of its life when that is shorter. */
const FRESH_FOR_MS = 5 * 60_000;
const FRESH_PART = 1 / 5;
const POLL_MS = 150;
/** The code of a provider that this server has no app of. */
const NOT_SET_UP = 'not_set_up';
/** Longer than a refresh may take. */
const WAIT_MS = 15_000;

/**
 * A good access token of a connection at its provider. One that is about to expire, or whose version the API has refused, is refreshed:
 * by one caller among all processes, since Postgres hands out the lease; the others wait, and read again before and after.
 * One that was just refreshed is handed out as it is, however short it lives.
 * Throws GrantLost, or a ProviderError (transient or configuration) when no good token is to be had at the moment.
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
    // Without a refresh token there is nothing to do but to use the access token up.
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
        // A refresh ahead of time may fail: the token in hand is still good.
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

/** An access token of the provider that is good now, as far as we know. */
export interface ProviderAccessToken {
  readonly token: string;
  /** The version of the credential it is from: name it when the API refuses the token. */
  readonly version: number;
  /** The provider's id of the account that it is for; null when the provider did not say. */
  readonly accountId: string | null;
}

/** There is none, and only a new authorization will give one. */
export class GrantLost extends Error {
  override readonly name = 'GrantLost';
}

/** Longer than a refresh may take (10 s), so that only a crash lets a lease run out. */
const LEASE_SECONDS = 15;

interface RefreshLease {
  readonly id: string;
  readonly connectionId: number;
  readonly provider: string;
  /** Encrypted, as it is now. */
  readonly refreshToken: string;
  readonly version: number;
}

/**
 * Takes the right to refresh in one statement, naming the version that was read: whoever comes second, in whatever
 * process, gets null. While a failed refresh cools down, everybody does.
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
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Marks the connection REAUTHORIZATION_REQUIRED, unless the credential has a newer version by now. */
  readonly declareGrantLost: (credential: Pick<Credential, 'connectionId' | 'version'>, reason: string) => Promise<boolean>;
}

/**
 * How long nobody refreshes again, whether it worked or not: the provider allows 10 refreshes a minute. So a provider whose
 * tokens live for seconds, or that refuses every token at once, is asked 600 times an hour at most.
 */
const COOLDOWN_SECONDS = 6;
const MISCONFIGURED_COOLDOWN_SECONDS = 60;

/**
 * Refreshes under a lease (RFC 6749 6) and stores the answer before anybody uses it; the version makes sure that nothing
 * newer is overwritten. Only a readable `invalid_grant` condemns the grant; an outage never does.
 * Throws a ProviderError, or GrantLost.
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
      // The grant that died was not the newest any more: whoever asks reads again.
      if (!lost) return;
      throw new GrantLost(`${provider?.name} no longer accepts the grant.`);
    }
    log.warn({ connectionId: lease.connectionId, code: error.code, reason: error.message }, 'A token could not be renewed');
    await coolDown(dependencies, lease, error, provider?.name ?? lease.provider);
    throw error;
  }
}

/** Returns false when another version has been stored meanwhile: that one stays. */
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
 * What a merchant is told: what happened, and whose turn it is. Only what an outage is called are our own words; what the
 * provider said otherwise is in the log.
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

/** Turns the lease into a pause for everybody, and remembers why. */
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
 * Declares a grant dead, after a last look: a race between two refreshers must not read as death. Returns false, and
 * changes nothing, when the credential has a newer version than the one that failed. Deliveries are held, none is lost.
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
    // One that was turned off stays off; turning it on again will find that it has no grant.
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

/** A provider may drop a refresh token that was not used for 90 days; a month is left for outages. */
const IDLE_DAYS = 60;
/** The chore runs every hour: spread over a day, in the order of who waits longest. */
const RUNS_A_DAY = 24;
const AT_LEAST = 20;

/**
 * Refreshes grants that nobody used for 60 days, so that a quiet shop stays connected. An outage leaves them for the next
 * run; a grant that turns out dead is declared so, which is better known now than at the next parcel. Returns how many.
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
