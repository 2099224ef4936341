import { sql } from 'kysely';
import type { Cipher } from '../../database/Cipher.js';
import { columnIdentity } from '../../database/columnIdentity.js';
import type { Database, EntityManager } from '../../database/Database.js';
import { generateSigningSecret } from './generateSigningSecret.js';

interface Dependencies {
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
  { database, cipher }: Dependencies,
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
