import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../domain/Logger.js';
import { type Cipher, keyIdOf } from './Cipher.js';
import { forgetKey } from './checkEncryptionKeys.js';
import type { Database } from './Database.js';
import { encryptedColumns } from './encryptedColumns.js';
import { type CountByKey, reencryptColumn } from './reencryptColumn.js';
import { runAlone } from './runAlone.js';

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
