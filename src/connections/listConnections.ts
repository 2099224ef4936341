import type { Database } from '../database/Database.js';
import { type Page, type PageArguments, paginate } from '../database/paginate.js';
import { type Caller, reachableConnection, reachableConnections } from '../domain/Caller.js';
import { Connection, type ConnectionStatus } from '../domain/Connection.js';

interface ConnectionFilter {
  readonly type?: string | null;
  readonly status?: ConnectionStatus | null;
  readonly externalId?: string | null;
}

/** Lists the caller's connections, newest first (OpenAPI list_connections). */
export function listConnections(
  { database }: { database: Database },
  caller: Caller,
  args: PageArguments,
  filter: ConnectionFilter = {},
): Promise<Page<Connection>> {
  return paginate(
    database.em(),
    Connection,
    'connections',
    {
      ...reachableConnections(caller),
      ...(filter.type ? { type: filter.type } : {}),
      ...(filter.status ? { status: filter.status } : {}),
      ...(filter.externalId ? { externalId: filter.externalId } : {}),
    },
    args,
  );
}

/**
 * Returns one connection of the organization, or null, also for another organization's connection (OpenAPI get-connection).
 */
export function findConnection({ database }: { database: Database }, caller: Caller, id: string): Promise<Connection | null> {
  return database.em().findOne(Connection, reachableConnection(caller, id));
}

/** Returns the connection with this externalId, or null. */
export function findConnectionByExternalId(
  { database }: { database: Database },
  caller: Caller,
  externalId: string,
): Promise<Connection | null> {
  if (externalId.includes('\0')) return Promise.resolve(null);
  return database.em().findOne(Connection, { externalId, ...reachableConnections(caller) });
}
