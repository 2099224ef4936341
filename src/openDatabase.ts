import { mkdir } from 'node:fs/promises';
import type { Config } from './config.js';
import { Cipher } from './database/Cipher.js';
import { Database } from './database/Database.js';
import { startEmbeddedPostgres } from './database/embedded/startEmbeddedPostgres.js';
import type { Logger } from './domain/Logger.js';
import { loadEmbeddedKey } from './embeddedSecrets.js';

/** The database that the configuration names, or the embedded one, with the cipher for its encrypted columns. */
export async function openDatabase(
  config: Config,
  log: Logger,
  closing: AsyncDisposableStack,
): Promise<{ database: Database; cipher: Cipher }> {
  let url = config.databaseUrl;
  if (url === null) {
    await mkdir(config.dataDir, { recursive: true });
    const postgres = await startEmbeddedPostgres({ dataDir: config.dataDir, log: (line) => log.info({}, line) });
    closing.defer(() => postgres.stop());
    url = postgres.url;
  }
  const cipher = new Cipher(config.encryptionKeys ?? [await loadEmbeddedKey(config.dataDir)]);
  const database = await Database.open({ url });
  closing.defer(() => database.close());
  return { database, cipher };
}
