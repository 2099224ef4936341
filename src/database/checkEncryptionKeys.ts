import { sql } from 'kysely';
import { type Cipher, columnIdentity, keyIdOf } from './Cipher.js';
import type { Database } from './Database.js';
import { type EncryptedColumn, encryptedColumns } from './encryptedColumns.js';

interface Dependencies {
  readonly database: Database;
  readonly cipher: Cipher;
}

/** Number of the newest rows of each encrypted column that are tried for a key without a canary. */
const SAMPLE = 1_000;

/**
 * Checks whether the configured keys are those that the database was encrypted with. Each key that ever encrypted here has left a
 * canary, a ciphertext without a secret. All canaries' keys must be configured and decrypt them. A key without a canary is new,
 * or the database is older than canaries. Then the newest ciphertexts are tried before the key leaves its canary.
 *
 * Returns null, or what is wrong, as the end of a line that begins with the source of the keys: `lacks the key "k1": …`.
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
  // Two processes may start at once with different keys of one name. The first one's canary stays.
  const { rows: left } = await sql<{ canary: string }>`
    select canary from encryption_canaries where key_id = ${currentKeyId}`.execute(database.sql());
  const canary = left[0]?.canary;
  return canary === undefined ? null : whyNot(cipher, currentKeyId, canary, columnIdentity.canary(currentKeyId));
}

/** Deletes a key's canary. Nothing is encrypted under the key any more, so processes may start without it. */
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
