import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { recordAudit } from '../database/auditLog.js';
import { type Cipher, columnIdentity } from '../database/Cipher.js';
import type { Database, EntityManager } from '../database/Database.js';
import { lockConnection } from '../database/lockConnection.js';
import type { Caller } from '../domain/Caller.js';
import type { Connection } from '../domain/Connection.js';
import { DAY_MS } from '../domain/duration.js';
import { InputError } from '../domain/errors.js';
import type { Destination } from './Destination.js';

interface RevealedSigningSecret {
  /** `whsec_` and base64. */
  readonly signingSecret: string;
  /** When the previous secret stops signing; null when there is none. */
  readonly previousSecretExpiresAt: Date | null;
}

interface Dependencies {
  readonly database: Database;
  readonly cipher: Cipher;
  /** Key: connection type. */
  readonly destinations: ReadonlyMap<string, Pick<Destination, 'signs'>>;
}

/**
 * Returns the secret that signs a connection's deliveries, and creates it if there is none. Throws an InputError: NOT_FOUND,
 * INVALID.
 */
export function revealSigningSecret(
  { database, cipher, destinations }: Dependencies,
  caller: Caller,
  input: { readonly connectionId: string },
): Promise<RevealedSigningSecret> {
  return database.transaction(async (em) => {
    const connection = await findSigningConnection(em, destinations, caller, input.connectionId);
    const identity = columnIdentity.signingSecret(connection.id);
    connection.signingSecret ??= cipher.encrypt(generateSigningSecret(), identity);
    await em.flush();
    await recordAudit(em, caller, { action: 'signing_secret_revealed', subject: ['connection', connection.id] });
    const expiresAt = connection.previousSigningSecretExpiresAt ?? null;
    return {
      signingSecret: cipher.decrypt(connection.signingSecret, identity),
      previousSecretExpiresAt: expiresAt && expiresAt.getTime() > Date.now() ? expiresAt : null,
    };
  });
}

/**
 * Creates a new signing secret. The previous one also signs for 24 hours, so that the receiver can change over. An older one,
 * from a rotation less than a day ago, stops signing now. Throws an InputError: NOT_FOUND, INVALID.
 */
export function rotateSigningSecret(
  { database, cipher, destinations }: Dependencies,
  caller: Caller,
  input: { readonly connectionId: string },
): Promise<RevealedSigningSecret> {
  return database.transaction(async (em) => {
    const connection = await findSigningConnection(em, destinations, caller, input.connectionId);
    const signingSecret = generateSigningSecret();
    const previousSecretExpiresAt = connection.signingSecret ? new Date(Date.now() + DAY_MS) : null;
    em.assign(connection, {
      previousSigningSecret: connection.signingSecret ?? null,
      previousSigningSecretExpiresAt: previousSecretExpiresAt,
      signingSecret: cipher.encrypt(signingSecret, columnIdentity.signingSecret(connection.id)),
      updatedAt: new Date(),
    });
    await em.flush();
    await recordAudit(em, caller, { action: 'signing_secret_rotated', subject: ['connection', connection.id] });
    return { signingSecret, previousSecretExpiresAt };
  });
}

/** Returns the caller's connection, locked. Throws an InputError: NOT_FOUND, or INVALID when the destination does not sign. */
async function findSigningConnection(
  em: EntityManager,
  destinations: Dependencies['destinations'],
  caller: Caller,
  connectionId: string,
): Promise<Connection> {
  const connection = await lockConnection(em, caller, connectionId, 'connectionId');
  if (!destinations.get(connection.type)?.signs) {
    const signing = [...destinations].filter(([, { signs }]) => signs).map(([type]) => type);
    throw InputError.of('INVALID', `Only ${signing.join(' and ')} connections have a signing secret.`, 'connectionId');
  }
  return connection;
}

interface EnsureDependencies {
  readonly database: Database;
  readonly cipher: Cipher;
}

/**
 * Returns the encrypted signing secret of a connection, and creates and stores it if there is none. Null when there is no such
 * connection. Two concurrent processes agree: the second one's update waits, and then finds the first one's secret.
 *
 * Outside a transaction of the caller it rejects (55P03) when the connection's row stays locked for a second: otherwise each
 * event would occupy a database connection for as long as the lock is held.
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

/** Creates a secret in the format of Standard Webhooks: `whsec_` and 32 random bytes in base64. */
export function generateSigningSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}
