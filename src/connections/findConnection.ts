import type { Database } from '../database/Database.js';
import type { Caller } from '../domain/Caller.js';
import { Connection } from '../domain/Connection.js';
import { parseId } from '../domain/parseId.js';

/** One connection of the organization, or null: somebody else's is not there (OpenAPI get-connection). */
export function findConnection({ database }: { database: Database }, caller: Caller, id: string): Promise<Connection | null> {
  return database.em().findOne(Connection, { id: parseId(id) ?? 0, organizationId: caller.organizationId });
}
