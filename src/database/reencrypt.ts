import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Logger } from '../domain/Logger.js';
import { type Cipher, keyIdOf } from './Cipher.js';
import { forgetKey } from './checkEncryptionKeys.js';
import type { Database } from './Database.js';
import { type EncryptedColumn, encryptedColumns } from './encryptedColumns.js';
import { runAlone } from './migrate.js';

export interface ReencryptDependencies {
  readonly database: Database;
  readonly cipher: Cipher;
  readonly log: Logger;
  /** Returns the ciphertexts in unfinished background jobs. They are not changed, but their keys are needed. */
  readonly waitingCiphertexts: () => Promise<readonly string[]>;
}

/** Milliseconds between two tries while another process re-encrypts. */
const BUSY_MS = 5_000;
const MOST_WALKS = 3;

/** Key of the advisory lock. Any unused number works. */
export const REENCRYPTION_LOCK = 7_240_912;

/**
 * Re-encrypts every column value under another key with the current one, and logs when a key is no longer needed. Loses no
 * concurrent write: see `swapCiphertexts`. Returns how many values it changed.
 */
export async function reencrypt(dependencies: ReencryptDependencies, stopping: AbortSignal): Promise<number> {
  const { database, cipher } = dependencies;
  // With one key, a value under another key could not be decrypted anyway.
  if (cipher.keyIds.length === 1) return 0;
  while (!stopping.aborted) {
    const count = await runAlone(database, REENCRYPTION_LOCK, () => reencryptAll(dependencies, stopping));
    if (count !== null) return count;
    // The other process may have passed rows that an older process has written since, so this one walks as well.
    await sleep(BUSY_MS, undefined, { signal: stopping }).catch(() => {});
  }
  return 0;
}

/** Walks through all columns until nothing is left to change, because other processes write meanwhile. */
async function reencryptAll(dependencies: ReencryptDependencies, stopping: AbortSignal): Promise<number> {
  let total = 0;
  for (let walk = 1; ; walk += 1) {
    const { changed, left, unreadable } = await walkThrough(dependencies, stopping);
    total += changed;
    if (stopping.aborted) return total;
    if (changed > 0 && walk < MOST_WALKS) continue;
    for (const found of unreadable) {
      dependencies.log.warn(found, 'Encrypted values can not be decrypted and were left as they are');
    }
    // The values that the last walk changed may come from a process that still writes under an old key.
    await tellWhatIsLeft(dependencies, left, changed > 0);
    return total;
  }
}

interface Walk {
  readonly changed: number;
  /** Number of values that stayed under another key, by key. */
  readonly left: ReadonlyMap<string, number>;
  /** Values that cannot be decrypted, in the form for the log. */
  readonly unreadable: readonly object[];
}

async function walkThrough(dependencies: ReencryptDependencies, stopping: AbortSignal): Promise<Walk> {
  const { cipher, log } = dependencies;
  const reencrypted = new Map<string, number>();
  const left = new Map<string, number>();
  const unreadable: object[] = [];
  for (const column of encryptedColumns) {
    const report = await reencryptColumn(dependencies, column, stopping);
    addTo(reencrypted, report.reencrypted);
    addTo(left, report.unreadable);
    addTo(left, report.missed);
    const place = `${column.table}.${column.column}`;
    for (const [key, count] of report.unreadable) {
      unreadable.push({ column: place, key: key || null, count });
    }
  }
  for (const [key, count] of reencrypted) {
    log.info({ key, currentKey: cipher.currentKeyId, count }, 'Values were re-encrypted with the current key');
  }
  return { changed: [...reencrypted.values()].reduce((sum, count) => sum + count, 0), left, unreadable };
}

async function tellWhatIsLeft(
  { database, cipher, log, waitingCiphertexts }: ReencryptDependencies,
  left: ReadonlyMap<string, number>,
  changing: boolean,
): Promise<void> {
  const waiting = (await waitingCiphertexts()).map(keyIdOf);
  for (const key of cipher.keyIds.filter((id) => id !== cipher.currentKeyId)) {
    const values = left.get(key) ?? 0;
    const jobs = waiting.filter((id) => id === key).length;
    if (values + jobs > 0 || changing) {
      log.info({ key, values, jobs }, `The key ${key} is still in use: it has to stay in ENCRYPTION_KEYS`);
    } else {
      await forgetKey(database, key);
      // The key may also be the next one, configured in every process before any encrypts with it.
      log.info({ key }, `Nothing is encrypted under the key ${key}: unless it is to be the next, it may leave ENCRYPTION_KEYS`);
    }
  }
}

function addTo(sums: Map<string, number>, counts: CountByKey): void {
  for (const [key, count] of counts) sums.set(key, (sums.get(key) ?? 0) + count);
}

/** Number of values by the id of their key; '' for what is no ciphertext. */
type CountByKey = ReadonlyMap<string, number>;

interface ColumnReport {
  readonly reencrypted: CountByKey;
  /** Values that could not be decrypted and were not changed. */
  readonly unreadable: CountByKey;
  /** Values that were locked or changed by others each time. */
  readonly missed: CountByKey;
}

/**
 * Maximum rows that one statement reads and changes. AES for that many takes about 10 ms, during which nothing else runs in this
 * process.
 */
const BATCH = 100;
const PASSES = 3;
const PAUSE_MS = 1_000;

/**
 * Re-encrypts the values of a column that are under other keys than the current one. Every batch is a transaction of its own, so
 * a crash loses one batch at most, and the next run continues. Values that others have locked or changed meanwhile are tried
 * again in another pass. Stops after a batch when `stopping` is aborted.
 */
async function reencryptColumn(
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
 * Yields the values that are not under the current key, a batch of rows at a time, in the order of the primary key. Reads the
 * whole table: an index on the key's id would make every published event more expensive, for a query that is only needed while
 * there are two keys. Small steps keep every statement short, so vacuum never waits for one.
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
    // Not `like`, because a key's id may contain its wildcard `_`.
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

interface Swap {
  /** Primary key of the row. */
  readonly key: string;
  /** The ciphertext that was read. */
  readonly old: string;
  readonly fresh: string;
}

/**
 * Replaces old ciphertexts by new ones in one statement (compare and swap). A value that was written since the old one was read
 * stays. Other columns are not changed. Returns the changed rows.
 */
export async function swapCiphertexts(
  database: Database,
  { table, column, key, keyType }: Omit<EncryptedColumn, 'identity'>,
  swaps: readonly Swap[],
): Promise<ReadonlySet<string>> {
  const at = sql.ref(`t.${key}`);
  const value = sql.ref(`t.${column}`);
  // Skips locked rows: a transaction that holds many rows and waits for one more can deadlock, and the other transaction might be
  // the one that Postgres aborts.
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
