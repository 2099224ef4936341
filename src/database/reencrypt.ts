import type { Logger } from '../domain/Logger.js';
import { type Cipher, keyIdOf } from './Cipher.js';
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
  return (await runAlone(database, REENCRYPTION_LOCK, () => reencryptAll(dependencies, stopping))) ?? 0;
}

async function reencryptAll(dependencies: ReencryptDependencies, stopping: AbortSignal): Promise<number> {
  const { cipher, log, waitingCiphertexts } = dependencies;
  const reencrypted = new Map<string, number>();
  const left = new Map<string, number>();
  for (const column of encryptedColumns) {
    const report = await reencryptColumn(dependencies, column, stopping);
    addTo(reencrypted, report.reencrypted);
    addTo(left, report.unreadable);
    addTo(left, report.missed);
    const place = `${column.table}.${column.column}`;
    for (const [key, count] of report.unreadable) {
      log.warn({ column: place, key: key || null, count }, 'Encrypted values can not be decrypted and were left as they are');
    }
  }
  for (const [key, count] of reencrypted) {
    log.info({ key, currentKey: cipher.currentKeyId, count }, 'Values were re-encrypted with the current key');
  }
  const total = [...reencrypted.values()].reduce((sum, count) => sum + count, 0);
  if (stopping.aborted) return total;

  const waiting = (await waitingCiphertexts()).map(keyIdOf);
  for (const key of cipher.keyIds.filter((id) => id !== cipher.currentKeyId)) {
    const values = left.get(key) ?? 0;
    const jobs = waiting.filter((id) => id === key).length;
    if (values + jobs > 0) {
      log.info({ key, values, jobs }, `The key ${key} is still in use: it has to stay in ENCRYPTION_KEYS`);
    } else {
      // It may just as well be the next key, made known to every process before any encrypts with it.
      log.info({ key }, `Nothing is encrypted under the key ${key}: unless it is to be the next, it may leave ENCRYPTION_KEYS`);
    }
  }
  return total;
}

function addTo(sums: Map<string, number>, counts: CountByKey): void {
  for (const [key, count] of counts) sums.set(key, (sums.get(key) ?? 0) + count);
}
