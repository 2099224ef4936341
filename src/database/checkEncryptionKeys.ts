import { sql } from 'kysely';
import { type Cipher, columnIdentity, keyIdOf } from './Cipher.js';
import type { Database } from './Database.js';
import { type EncryptedColumn, encryptedColumns } from './encryptedColumns.js';

interface Dependencies {
  readonly database: Database;
  readonly cipher: Cipher;
}

/** Of each encrypted column, for a key that this database has no canary of: so many of the newest rows are tried. */
const SAMPLE = 1_000;

/**
 * Whether the keys in hand are those that the database was encrypted with. Each key that ever encrypted here has left a
 * canary, a ciphertext of no secret; all of them must be known and decrypt. A key without one is new here, or the database
 * is older than canaries: then the newest ciphertexts are tried, before the key leaves its own.
 *
 * Returns null, or what is wrong, made to follow the keys' source in one line: `lacks the key "k1": …`.
 */
export async function checkEncryptionKeys({ database, cipher }: Dependencies): Promise<string | null> {
  const { rows } = await sql<{ keyId: string; canary: string }>`
    select key_id as "keyId", canary from encryption_canaries order by key_id`.execute(database.sql());
  for (const { keyId, canary } of rows) {
    const problem = whyNot(cipher, keyId, canary, columnIdentity.canary(keyId));
    if (problem) return problem;
  }
  const { currentKeyId } = cipher;
  if (rows.some(({ keyId }) => keyId === currentKeyId)) return null;

  for (const column of encryptedColumns) {
    for (const { key, value } of await newest(database, column)) {
      const problem = whyNot(cipher, keyIdOf(value) ?? '', value, column.identity(key));
      if (problem) return problem;
    }
  }
  await sql`
    insert into encryption_canaries (key_id, canary)
    values (${currentKeyId}, ${cipher.encrypt('canary', columnIdentity.canary(currentKeyId))})
    on conflict (key_id) do nothing`.execute(database.sql());
  // Of two processes that start at once with different keys of one name, one was first.
  const { rows: left } = await sql<{ canary: string }>`
    select canary from encryption_canaries where key_id = ${currentKeyId}`.execute(database.sql());
  const canary = left[0]?.canary;
  return canary === undefined ? null : whyNot(cipher, currentKeyId, canary, columnIdentity.canary(currentKeyId));
}

/** Nothing is encrypted under the key any more: starts may do without it. */
export async function forgetKey(database: Database, keyId: string): Promise<void> {
  await sql`delete from encryption_canaries where key_id = ${keyId}`.execute(database.sql());
}

function whyNot(cipher: Cipher, keyId: string, value: string, identity: string): string | null {
  if (!cipher.keyIds.includes(keyId)) {
    return `lacks the key "${keyId}", under which this database holds secrets. Add it back, behind the key that is to encrypt.`;
  }
  try {
    cipher.decrypt(value, identity);
    return null;
  } catch {
    return `has another key by the name "${keyId}" than the one that this database was encrypted with. Put the right one back.`;
  }
}

async function newest(database: Database, { table, column, key }: EncryptedColumn): Promise<{ key: string; value: string }[]> {
  const { rows } = await sql<{ key: string; value: string }>`
    select key, value from (
      select ${sql.ref(key)}::text as key, ${sql.ref(column)} as value from ${sql.table(table)}
      order by ${sql.ref(key)} desc limit ${SAMPLE}
    ) sample where value is not null`.execute(database.sql());
  return rows;
}
