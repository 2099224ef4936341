import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { recordAudit } from '../database/auditLog.js';
import type { Cipher } from '../database/Cipher.js';
import type { Database, EntityManager } from '../database/Database.js';
import { newId } from '../database/newId.js';
import type { AuthorizationDisplay } from '../domain/Authorization.js';
import type { Caller } from '../domain/Caller.js';
import { Connection } from '../domain/Connection.js';
import { InputError } from '../domain/errors.js';
import { parseId } from '../domain/ids.js';
import { hashSecret } from '../domain/secrets.js';
import type { Provider, Providers } from './Provider.js';
import { type StartedAuthorization, startAuthorization } from './startAuthorization.js';

/** Minutes between the redirect from the provider and the claim by the app. */
export const INSTALL_LIFETIME_MINUTES = 60;
/** Maximum unclaimed installs. Anyone can create one, so their number must be limited. */
const MOST_PENDING = 10_000;
/** Maximum stored parameters of the provider's URL. */
const MOST_PARAMETERS = 20;
const LONGEST_NAME = 64;
const LONGEST_VALUE = 512;

/**
 * Stores an install that began at the provider until an app claims it. Returns the token that claims it (256 random bits,
 * stored as a hash only), or null when there are too many unclaimed installs.
 */
export async function leaveInstall(
  { database }: { readonly database: Database },
  provider: Provider,
  parameters: URLSearchParams,
): Promise<string | null> {
  const token = randomBytes(32).toString('base64url');
  const plausible = [...parameters].filter(([name, value]) => name.length <= LONGEST_NAME && value.length <= LONGEST_VALUE);
  // Postgres stores no NUL in JSON.
  const kept = plausible.slice(0, MOST_PARAMETERS).filter((pair) => !pair.join('').includes('\0'));
  const { rows } = await sql`
    insert into installs (id, token_hash, provider, parameters, expires_at)
    select ${newId()}::uuid, ${hashSecret(token)}, ${provider.id}, ${JSON.stringify(Object.fromEntries(kept))}::jsonb,
      now() + make_interval(mins => ${INSTALL_LIFETIME_MINUTES})
    where (select count(*) from (select from installs where claimed_at is null limit ${MOST_PENDING}) pending) < ${MOST_PENDING}
    returning id`.execute(database.sql());
  return rows.length === 1 ? token : null;
}

export interface ClaimInstallInput {
  /** The token of the install. */
  readonly install: string;
  /** A connection of the organization to authorize. By default a new one is created. */
  readonly connectionId?: string | null;
  /** The new connection's name. */
  readonly name?: string | null;
  readonly returnTo?: URL | string | null;
  readonly display?: AuthorizationDisplay | null;
  readonly bindToBrowser?: boolean | null;
}

export interface ClaimDependencies {
  readonly database: Database;
  readonly cipher: Cipher;
  readonly providers: Providers;
  readonly returnToOrigins: readonly string[];
  /** Creates a connection of a type in the given transaction. Throws an InputError. */
  readonly createLinkedConnection: (em: EntityManager, caller: Caller, type: string, name: string | null) => Promise<Connection>;
}

interface ClaimedInstall {
  readonly id: string;
  readonly provider: string;
  readonly connection_id: string | null;
}

/**
 * Assigns an install to the calling organization and starts an authorization for its connection, in one transaction. One
 * statement decides who gets the install. Claiming it again during its lifetime starts a new authorization of the same
 * connection, so that a double click or a reloaded page creates no second connection. Throws an InputError: NOT_FOUND,
 * CONFLICT, and what startAuthorization throws.
 *
 * The token is not a grant and names no account. Whoever has it can only do what `startAuthorization` does, for an
 * organization whose credentials they have, with a fresh state and PKCE pair. So an attacker who creates an install and
 * sends its token to another organization's app gains nothing: the victim links the account that the victim chooses at the
 * provider, to the victim's organization. A stolen token links nothing of its owner's.
 */
export function claimInstall(
  dependencies: ClaimDependencies,
  caller: Caller,
  input: ClaimInstallInput,
): Promise<StartedAuthorization & { readonly connection: Connection }> {
  const { database, createLinkedConnection } = dependencies;
  if (input.connectionId && input.name) {
    const message = 'A name is for a new connection: leave it out, or rename the connection with updateConnection.';
    throw InputError.of('INVALID', message, 'name');
  }
  return database.transaction(async (em) => {
    const install = await take(database, em, caller, input.install);
    const connectionId = await chooseConnection(install, input, async () =>
      String((await createLinkedConnection(em, caller, install.provider, input.name ?? null)).id),
    );
    const { returnTo, display, bindToBrowser } = input;
    const started = await startAuthorization(dependencies, caller, { connectionId, returnTo, display, bindToBrowser }, em);
    await sql`update installs set connection_id = ${connectionId}::bigint where id = ${install.id}::uuid`.execute(
      database.sql(em),
    );
    await recordAudit(em, caller, { action: 'install_claimed', subject: ['connection', connectionId] });
    return { ...started, connection: await em.findOneOrFail(Connection, Number(connectionId)) };
  });
}

/** Takes the install. Another organization's install and an unknown token give the same error. */
async function take(database: Database, em: EntityManager, { organizationId }: Caller, token: string): Promise<ClaimedInstall> {
  // A pasted code may have spaces around it.
  const hash = hashSecret(token.trim());
  // The row is locked until the end of the transaction, so that a second claim waits and finds the first one's connection.
  const { rows } = await sql<ClaimedInstall>`
    update installs set organization_id = ${organizationId}, claimed_at = coalesce(claimed_at, now())
    where token_hash = ${hash} and expires_at > now() and (organization_id is null or organization_id = ${organizationId})
    returning id, provider, connection_id`.execute(database.sql(em));
  if (rows[0]) return rows[0];
  const { rows: expired } = await sql`
    select from installs where token_hash = ${hash} and expires_at <= now()
      and (organization_id is null or organization_id = ${organizationId})`.execute(database.sql(em));
  const message =
    expired.length > 0
      ? `This install has expired: it was good for ${INSTALL_LIFETIME_MINUTES} minutes. Begin again at the provider, or call startAuthorization.`
      : 'There is no such install: check that it is complete, or begin again at the provider.';
  throw InputError.of('NOT_FOUND', message, 'install');
}

async function chooseConnection(
  { connection_id: claimedFor }: ClaimedInstall,
  { connectionId }: ClaimInstallInput,
  create: () => Promise<string>,
): Promise<string> {
  if (claimedFor === null) return connectionId ?? (await create());
  if (connectionId && parseId(connectionId) !== Number(claimedFor)) {
    const message = 'This install was claimed for another connection: leave connectionId out to go on with that one.';
    throw InputError.of('CONFLICT', message, 'connectionId');
  }
  return String(claimedFor);
}

/** Deletes installs an hour after they expired. Until then a late claim gets the true reason. Returns how many. */
export async function sweepInstalls({ database }: { readonly database: Database }): Promise<number> {
  const { numAffectedRows } = await sql`delete from installs where expires_at < now() - interval '1 hour'`.execute(
    database.sql(),
  );
  return Number(numAffectedRows ?? 0n);
}
