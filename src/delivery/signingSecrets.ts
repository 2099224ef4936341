import { randomBytes } from 'node:crypto';
import { LockMode } from '@mikro-orm/core';
import { sql } from 'kysely';
import { type Cipher, columnIdentity } from '../database/Cipher.js';
import type { Database, EntityManager } from '../database/Database.js';
import { type Caller, reachableConnection } from '../domain/Caller.js';
import { Connection } from '../domain/Connection.js';
import { InputError } from '../domain/errors.js';

interface RevealedSigningSecret {
  /** `whsec_` and base64. */
  readonly signingSecret: string;
  /** Until when the secret before this one signs as well; null without one. */
  readonly previousSecretExpiresAt: Date | null;
}

interface RevealDependencies {
  readonly database: Database;
  readonly cipher: Cipher;
}

/** The secret that signs a webhook connection's deliveries; made now if none was needed yet. Throws an InputError: NOT_FOUND, INVALID. */
export function revealSigningSecret(
  { database, cipher }: RevealDependencies,
  caller: Caller,
  input: { readonly connectionId: string },
): Promise<RevealedSigningSecret> {
  return database.transaction(async (em) => {
    const connection = await findSigningConnection(em, caller, input.connectionId);
    const identity = columnIdentity.signingSecret(connection.id);
    connection.signingSecret ??= cipher.encrypt(generateSigningSecret(), identity);
    await em.flush();
    const expiresAt = connection.previousSigningSecretExpiresAt ?? null;
    return {
      signingSecret: cipher.decrypt(connection.signingSecret, identity),
      previousSecretExpiresAt: expiresAt && expiresAt.getTime() > Date.now() ? expiresAt : null,
    };
  });
}

interface RotateDependencies {
  readonly database: Database;
  readonly cipher: Cipher;
}

const DAY_MS = 86_400_000;

/**
 * Makes a new signing secret; the one before signs as well for 24 hours, in which the receiver changes over. A secret
 * before that one, from a rotation less than a day ago, ends now. Throws an InputError: NOT_FOUND, INVALID.
 */
export function rotateSigningSecret(
  { database, cipher }: RotateDependencies,
  caller: Caller,
  input: { readonly connectionId: string },
): Promise<RevealedSigningSecret> {
  return database.transaction(async (em) => {
    const connection = await findSigningConnection(em, caller, input.connectionId);
    const signingSecret = generateSigningSecret();
    const previousSecretExpiresAt = connection.signingSecret ? new Date(Date.now() + DAY_MS) : null;
    em.assign(connection, {
      previousSigningSecret: connection.signingSecret ?? null,
      previousSigningSecretExpiresAt: previousSecretExpiresAt,
      signingSecret: cipher.encrypt(signingSecret, columnIdentity.signingSecret(connection.id)),
      updatedAt: new Date(),
    });
    await em.flush();
    return { signingSecret, previousSecretExpiresAt };
  });
}

/** The caller's webhook connection, locked. Throws an InputError: NOT_FOUND, or INVALID for what is not signed. */
async function findSigningConnection(em: EntityManager, caller: Caller, connectionId: string): Promise<Connection> {
  const connection = await em.findOne(Connection, reachableConnection(caller, connectionId), {
    lockMode: LockMode.PESSIMISTIC_WRITE,
  });
  if (!connection) throw InputError.of('NOT_FOUND', 'There is no such connection.', 'connectionId');
  if (connection.type !== 'webhook') {
    throw InputError.of('INVALID', 'Only webhook connections have a signing secret.', 'connectionId');
  }
  return connection;
}

interface EnsureDependencies {
  readonly database: Database;
  readonly cipher: Cipher;
}

/**
 * The encrypted signing secret of a connection; one is made and stored if it has none. Null when there is no such
 * connection. Two processes at once agree: the second one's update waits, and then finds the first one's secret.
 *
 * Without a transaction of the caller's it rejects (55P03) when somebody holds the connection locked for a second: whoever does
 * so for long must not have a connection to the database wait for each event.
 */
export async function ensureSigningSecret(
  { database, cipher }: EnsureDependencies,
  connectionId: number,
  em?: EntityManager,
): Promise<string | null> {
  const fresh = cipher.encrypt(generateSigningSecret(), columnIdentity.signingSecret(connectionId));
  const { rows } = await sql<{ signing_secret: string }>`
    update connections set signing_secret = coalesce(signing_secret, ${fresh})
    from (select set_config('lock_timeout', case when ${em === undefined} then '1s' else current_setting('lock_timeout') end, true) as wait) l
    where id = ${connectionId} and l.wait is not null returning signing_secret`.execute(database.sql(em));
  return rows[0]?.signing_secret ?? null;
}

/** A new secret in Standard Webhooks' form: `whsec_` and 32 random bytes in base64. */
export function generateSigningSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}
