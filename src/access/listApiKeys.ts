import type { Database } from '../database/Database.js';
import { ApiKey } from '../domain/ApiKey.js';

/** An organization's keys, newest first, revoked ones included; never their secrets. */
export function listApiKeys({ database }: { database: Database }, organizationId: number): Promise<ApiKey[]> {
  return database.em().find(ApiKey, { organizationId }, { orderBy: { id: 'desc' } });
}
