import { sql } from 'kysely';
import type { Cipher } from '../database/Cipher.js';
import { columnIdentity } from '../database/columnIdentity.js';
import type { Database } from '../database/Database.js';
import type { Credential } from '../domain/Credential.js';
import type { Logger } from '../domain/Logger.js';
import { GrantLost } from './AccessToken.js';
import type { Provider, TokenSet } from './Provider.js';
import { ProviderError } from './ProviderError.js';
import type { RefreshLease } from './takeRefreshLease.js';

export interface RefreshDependencies {
  readonly database: Database;
  readonly cipher: Cipher;
  readonly providers: ReadonlyMap<string, Provider>;
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
export async function refreshCredential(dependencies: RefreshDependencies, lease: RefreshLease): Promise<void> {
  const { providers, cipher, log } = dependencies;
  const provider = providers.get(lease.provider);
  try {
    if (!provider) throw new ProviderError('configuration', 'not_set_up', `${lease.provider} is not set up on this server.`);
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
function explain({ kind, message }: ProviderError, name: string): string {
  const sentences = {
    configuration: `${name} refused this server's own credentials. The operator of this server has to mend it.`,
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
