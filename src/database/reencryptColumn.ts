import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { type Cipher, keyIdOf } from './Cipher.js';
import type { Database } from './Database.js';
import type { EncryptedColumn } from './encryptedColumns.js';
import { type Swap, swapCiphertexts } from './swapCiphertexts.js';

/** How many values there were, by the id of the key that they were under; '' for what is no ciphertext. */
export type CountByKey = ReadonlyMap<string, number>;

export interface ColumnReport {
  readonly reencrypted: CountByKey;
  /** Could not be decrypted, and are as they were. */
  readonly unreadable: CountByKey;
  /** Were locked or changed by others each time. */
  readonly missed: CountByKey;
}

/** Rows that are read, and at most changed, in one statement. AES for so many takes some 10 ms, in which nothing else runs here. */
const BATCH = 100;
const PASSES = 3;
const PAUSE_MS = 1_000;

/**
 * Re-encrypts what a column holds under other keys than the current one. Every batch is a transaction of its own, so a
 * crash loses one batch at most; the next run goes on with what is left. What somebody else has locked or changed under
 * our hands is looked at again in another pass. Stops after a batch when asked to.
 */
export async function reencryptColumn(
  { database, cipher }: { readonly database: Database; readonly cipher: Cipher },
  column: EncryptedColumn,
  stopping: AbortSignal,
): Promise<ColumnReport> {
  const reencrypted = new Map<string, number>();
  for (let pass = 1; ; pass += 1) {
    const unreadable = new Map<string, number>();
    const missed = new Map<string, number>();
    for await (const stale of walk(database, column, cipher.currentPrefix)) {
      if (stopping.aborted) break;
      const swaps: Swap[] = [];
      for (const { key, old } of stale) {
        try {
          swaps.push({ key, old, fresh: cipher.reencrypt(old, column.identity(key)) });
        } catch {
          count(unreadable, old);
        }
      }
      if (swaps.length === 0) continue;
      const changed = await swapCiphertexts(database, column, swaps);
      for (const { key, old } of swaps) count(changed.has(key) ? reencrypted : missed, old);
    }
    if (missed.size === 0 || pass === PASSES || stopping.aborted) return { reencrypted, unreadable, missed };
    await sleep(PAUSE_MS, undefined, { signal: stopping }).catch(() => {});
  }
}

/**
 * The values that are not under the current key, a batch of rows at a time in the order of the primary key. Reads the whole
 * table: an index on the key's id would cost every published event a write, for a question that is only asked while there
 * are two keys. In small steps, so that no statement is long, and cleaning up after others never waits for it.
 */
async function* walk(
  database: Database,
  { table, column, key }: EncryptedColumn,
  currentPrefix: string,
): AsyncGenerator<{ key: string; old: string }[]> {
  const at = sql.ref(`t.${key}`);
  const value = sql.ref(`t.${column}`);
  let after: string | undefined;
  do {
    // Not `like`: a key's id may hold its wildcard `_`.
    const { rows } = await sql<{ key: string; old: string | null }>`
      select ${at}::text as key, case when not starts_with(${value}, ${currentPrefix}) then ${value} end as old
      from ${sql.table(table)} t ${after === undefined ? sql`` : sql`where ${at} > ${after}`}
      order by ${at} limit ${BATCH}`.execute(database.sql());
    yield rows.filter((row): row is { key: string; old: string } => row.old !== null);
    after = rows.length < BATCH ? undefined : rows.at(-1)?.key;
  } while (after !== undefined);
}

function count(counts: Map<string, number>, value: string): void {
  const keyId = keyIdOf(value) ?? '';
  counts.set(keyId, (counts.get(keyId) ?? 0) + 1);
}
