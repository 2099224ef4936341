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

/** How long a merchant has between coming from the provider and being signed in at the app. */
export const INSTALL_LIFETIME_MINUTES = 60;
/** Installs that nobody has claimed, at once. Anybody can leave one, so their number has to end somewhere. */
const MOST_PENDING = 10_000;
/** What the provider added to the URL is kept as far as it is plausible. */
const MOST_PARAMETERS = 20;
const LONGEST_NAME = 64;
const LONGEST_VALUE = 512;

/**
 * Keeps an install that began at the provider until somebody claims it. Returns the token that claims it (256 random bits,
 * of which only the hash is stored), or null when there are as many as may be.
 */
export async function leaveInstall(
  { database }: { readonly database: Database },
  provider: Provider,
  parameters: URLSearchParams,
): Promise<string | null> {
  const token = randomBytes(32).toString('base64url');
  const plausible = [...parameters].filter(([name, value]) => name.length <= LONGEST_NAME && value.length <= LONGEST_VALUE);
  // Postgres keeps no NUL in JSON.
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
  /** The token that the install was left with. */
  readonly install: string;
  /** A connection of the organization to authorize; a new one is created without it. */
  readonly connectionId?: string | null;
  /** Of the new connection. */
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
 * Takes an install for the organization that calls, and starts to authorize its connection; all of it, or nothing. One
 * statement decides whose it is. Claiming it again within its life starts anew with the same connection, so that a double
 * click or a reloaded page makes no second one. Throws an InputError: NOT_FOUND, CONFLICT, and what startAuthorization throws.
 *
 * The token is no grant and names no account: whoever has it can only begin what `startAuthorization` begins, for an
 * organization whose credentials are his own, with a state and a PKCE pair that are made here and now. So an attacker who
 * leaves an install and sends its token to somebody else's app gains nothing: the victim's browser links the account that
 * its user chooses at the provider, to the victim's organization. And a token that was stolen links nothing of its owner's.
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

/** Somebody else's install, and one that never was, are the same. */
async function take(database: Database, em: EntityManager, { organizationId }: Caller, token: string): Promise<ClaimedInstall> {
  // A code that somebody pasted may bring spaces along.
  const hash = hashSecret(token.trim());
  // Its row is locked until all is done, so that a second claim waits and finds the first one's connection.
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

/** Forgets installs an hour after they ended; until then, whoever comes too late is told so. Returns how many. */
export async function sweepInstalls({ database }: { readonly database: Database }): Promise<number> {
  const { numAffectedRows } = await sql`delete from installs where expires_at < now() - interval '1 hour'`.execute(
    database.sql(),
  );
  return Number(numAffectedRows ?? 0n);
}
