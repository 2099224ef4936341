import { sql } from 'kysely';
import type { Database } from '../database/Database.js';

/** How deliveries of a connection fare. */
export interface ConnectionHealth {
  readonly connectionId: number;
  /** Since when nothing but failures; null when the last delivery went well. */
  readonly failingSince: Date | null;
  /** Until when a rate limit of the destination lasts; null without one. */
  readonly throttledUntil: Date | null;
}

/** The health of connections, as far as there is anything to say. */
export async function findHealth({ database }: { database: Database }, connectionIds: number[]): Promise<ConnectionHealth[]> {
  const { rows } = await sql<Omit<ConnectionHealth, 'connectionId'> & { id: string }>`
    select connection_id as id, failing_since as "failingSince",
      case when throttled_until > now() then throttled_until end as "throttledUntil"
    from connection_health where connection_id = any(${sql.val(connectionIds)}::bigint[])`.execute(database.sql());
  return rows.map(({ id, ...health }) => ({ ...health, connectionId: Number(id) }));
}
