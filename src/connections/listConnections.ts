import { raw } from '@mikro-orm/core';
import type { Database } from '../database/Database.js';
import { type Page, type PageArguments, paginate } from '../database/paginate.js';
import { type Caller, reachableConnection, reachableConnections } from '../domain/Caller.js';
import { Connection, type ConnectionStatus } from '../domain/Connection.js';

interface ConnectionFilter {
  readonly type?: string | null;
  readonly status?: ConnectionStatus | null;
  readonly externalId?: string | null;
  readonly needsAttention?: boolean | null;
}

interface Dependencies {
  readonly database: Database;
  /** By connection type: the scope that its deliveries need of a grant. */
  readonly providers: ReadonlyMap<string, { readonly deliveryScope: string } | null>;
}

/** Lists the caller's connections, newest first (OpenAPI list_connections). */
export function listConnections(
  { database, providers }: Dependencies,
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
      ...(typeof filter.needsAttention === 'boolean' ? { [needsAttention(providers)]: filter.needsAttention } : {}),
    },
    args,
  );
}

/**
 * Returns the condition that something keeps a connection from delivering, or soon will: what `problem` says of an active one, and any
 * reason not to be active except that it was switched off.
 */
function needsAttention(providers: Dependencies['providers']) {
  const scopes = [...providers].flatMap(([type, provider]) => (provider ? [[type, provider.deliveryScope] as const] : []));
  const lacksScope = scopes.map(() => 'when ? then not ? = any(k.scopes)').join(' ');
  return raw(
    (alias) => `case when ${alias}.status <> 'active' then ${alias}.status_reason_code is distinct from 'switched_off' else
      exists (
        select from connection_health h
        where h.connection_id = ${alias}.id and (h.failing_since is not null or h.throttled_until > now())
      ) or exists (
        select from credentials k
        where k.connection_id = ${alias}.id and (k.refresh_problem is not null ${
          scopes.length === 0
            ? ''
            : `or k.access_token is not null and case ${alias}.type ${lacksScope} else false end
          and exists (select from subscriptions s where s.connection_id = ${alias}.id)`
        })
      ) end`,
    scopes.flat(),
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
