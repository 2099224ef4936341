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
  /** Ciphertexts in background jobs that are not done yet. They are not touched, but their keys are needed. */
  readonly waitingCiphertexts: () => Promise<readonly string[]>;
}

/** Until somebody else's walk is looked at again. */
const BUSY_MS = 5_000;
const MOST_WALKS = 3;

/** Any number does, as long as nothing else uses it. */
export const REENCRYPTION_LOCK = 7_240_912;

/**
 * Re-encrypts every column value that is under another key with the current one, and tells the log when a key is no longer
 * needed. Processes that write at the same time lose nothing: see `swapCiphertexts`. Returns how many.
 */
export async function reencrypt(dependencies: ReencryptDependencies, stopping: AbortSignal): Promise<number> {
  const { database, cipher } = dependencies;
  // With one key, as it mostly is, whatever is under another could not be decrypted anyway.
  if (cipher.keyIds.length === 1) return 0;
  while (!stopping.aborted) {
    const count = await runAlone(database, REENCRYPTION_LOCK, () => reencryptAll(dependencies, stopping));
    if (count !== null) return count;
    // Whoever is at it may have passed what an older process wrote since: this one looks for itself.
    await sleep(BUSY_MS, undefined, { signal: stopping }).catch(() => {});
  }
  return 0;
}

/** Walks through everything again until there is nothing left to change, since others write meanwhile. */
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
    // What the last walk found may have come from somebody who goes on writing under an old key.
    await tellWhatIsLeft(dependencies, left, changed > 0);
    return total;
  }
}

interface Walk {
  readonly changed: number;
  /** Values that stayed under another key, by key. */
  readonly left: ReadonlyMap<string, number>;
  /** What can not be decrypted, as the log shows it. */
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
      // It may just as well be the next key, made known to every process before any encrypts with it.
      log.info({ key }, `Nothing is encrypted under the key ${key}: unless it is to be the next, it may leave ENCRYPTION_KEYS`);
    }
  }
}

function addTo(sums: Map<string, number>, counts: CountByKey): void {
  for (const [key, count] of counts) sums.set(key, (sums.get(key) ?? 0) + count);
}

/** How many values there were, by the id of the key that they were under; '' for what is no ciphertext. */
type CountByKey = ReadonlyMap<string, number>;

interface ColumnReport {
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

interface Swap {
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
