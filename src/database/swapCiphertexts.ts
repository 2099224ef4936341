import { sql } from 'kysely';
import type { Database } from './Database.js';
import type { EncryptedColumn } from './encryptedColumns.js';

export interface Swap {
  /** The row. */
  readonly key: string;
  /** The ciphertext that was read there. */
  readonly old: string;
  readonly fresh: string;
}

/**
 * Puts fresh ciphertexts in the place of old ones, in one statement (compare and swap): a value that was written since the
 * old one was read stays. Touches nothing else of the row. Returns the rows that were changed.
 */
export async function swapCiphertexts(
  database: Database,
  { table, column, key, keyType }: Omit<EncryptedColumn, 'identity'>,
  swaps: readonly Swap[],
): Promise<ReadonlySet<string>> {
  const at = sql.ref(`t.${key}`);
  const value = sql.ref(`t.${column}`);
  // Locked rows are skipped: who holds many rows and waits for one more can end in a deadlock, and it might be the other one
  // who has to give up.
  const { rows } = await sql<{ key: string }>`
    with free as materialized (
      select swap.* from unnest(
        ${swaps.map((swap) => swap.key)}::${sql.raw(keyType)}[],
        ${swaps.map(({ old }) => old)}::text[],
        ${swaps.map(({ fresh }) => fresh)}::text[]
      ) as swap (key, old, fresh)
      join ${sql.table(table)} t on ${at} = swap.key and ${value} = swap.old
      for no key update of t skip locked
    )
    update ${sql.table(table)} t set ${sql.ref(column)} = free.fresh from free
    where ${at} = free.key and ${value} = free.old
    returning ${at}::text as key`.execute(database.sql());
  return new Set(rows.map((row) => row.key));
}
