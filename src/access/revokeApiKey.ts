import type { Database } from '../database/Database.js';
import { ApiKey } from '../domain/ApiKey.js';

/** Ends a key at once, in every process. Returns false when there is no such key that still works. */
export async function revokeApiKey({ database }: { database: Database }, publicKey: string): Promise<boolean> {
  return (await database.em().nativeUpdate(ApiKey, { publicKey, revokedAt: null }, { revokedAt: new Date() })) === 1;
}
