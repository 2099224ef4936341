import { mkdir } from 'node:fs/promises';
import type { Config } from './config.js';
import { Cipher } from './database/Cipher.js';
import { Database } from './database/Database.js';
import { startEmbeddedPostgres } from './database/embedded/startEmbeddedPostgres.js';
import { StorageAlarm } from './database/StorageAlarm.js';
import type { Logger } from './domain/Logger.js';
import { type OperatorAlarm, OperatorAlarms } from './domain/OperatorAlarm.js';
import { loadEmbeddedKey } from './embeddedSecrets.js';

interface Surroundings {
  readonly log: Logger;
  readonly closing: AsyncDisposableStack;
  readonly alarms?: OperatorAlarm;
}

/** Opens the configured database, or the embedded one, with the cipher for its encrypted columns. */
export async function openDatabase(
  config: Config,
  { log, closing, alarms = new OperatorAlarms(log) }: Surroundings,
): Promise<{ database: Database; cipher: Cipher }> {
  let url = config.databaseUrl;
  if (url === null) {
    await mkdir(config.dataDir, { recursive: true });
    const postgres = await startEmbeddedPostgres({ dataDir: config.dataDir, log: (line) => log.info({}, line) });
    closing.defer(() => postgres.stop());
    url = postgres.url;
  }
  const cipher = new Cipher(config.encryptionKeys ?? [await loadEmbeddedKey(config.dataDir)]);
  const storage = new StorageAlarm(() => database, alarms);
  const database = await Database.open({
    url,
    directUrl: config.databaseDirectUrl,
    poolSize: config.databasePoolSize,
    onErrorCode: (code) => storage.heard(code),
  });
  closing.defer(() => database.close());
  closing.defer(() => storage.close());
  return { database, cipher };
}
