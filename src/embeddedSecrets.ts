import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EncryptionKey } from './database/Cipher.js';

export const embeddedKeyPath = (dataDir: string): string => join(dataDir, 'encryption-key');

/**
 * Loads the encryption key of embedded mode, which is created beside the data at the first start. With an external database,
 * ENCRYPTION_KEYS must be set.
 */
export async function loadEmbeddedKey(dataDir: string): Promise<EncryptionKey> {
  const path = embeddedKeyPath(dataDir);
  // `wx` lets only the first of two processes write. Both then read the same key.
  await writeFile(path, `embedded:${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' }).catch(ignoreExisting);
  const [id = '', encoded = ''] = (await readFile(path, 'utf8')).trim().split(':');
  return { id, key: Buffer.from(encoded, 'base64') };
}

export interface DemoKeys {
  readonly publicKey: string;
  readonly secretKey: string;
}

/**
 * Reads the demo organization's keys, which are kept beside the data so that every start can show them; null before the first
 * start.
 */
export async function readDemoKeys(dataDir: string): Promise<DemoKeys | null> {
  const text = await readFile(join(dataDir, 'demo-keys.json'), 'utf8').catch(() => null);
  return text === null ? null : JSON.parse(text);
}

export async function writeDemoKeys(dataDir: string, { publicKey, secretKey }: DemoKeys): Promise<void> {
  await writeFile(join(dataDir, 'demo-keys.json'), `${JSON.stringify({ publicKey, secretKey }, null, 2)}\n`, { mode: 0o600 });
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
