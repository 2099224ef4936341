import { sql } from 'kysely';
import type { Database, EntityManager } from '../../database/Database.js';
import { holdDeliveries } from '../queue/holdDeliveries.js';

export interface DisabledConnection {
  readonly connectionId: number;
  readonly organizationId: number;
  /** A sentence for the merchant; the connection's `statusReason`. */
  readonly reason: string;
  /** Since when nothing succeeded; null when that isn't why. */
  readonly failingSince: Date | null;
}

/** Told in the transaction that disables a connection: what it writes exists exactly when the connection is disabled. */
export type OnConnectionDisabled = (em: EntityManager, disabled: DisabledConnection) => Promise<void>;

/** Disables an active connection and holds its deliveries. False when it wasn't active any more. */
export function disableConnection(
  database: Database,
  connectionId: number,
  cause: { readonly reason: string; readonly failing: boolean },
  onConnectionDisabled: OnConnectionDisabled,
): Promise<boolean> {
  return database.transaction(async (em) => {
    const { rows } = await sql<{ organization_id: string; failing_since_ms: number | null }>`
      update connections c set status = 'disabled', status_reason = ${cause.reason}, updated_at = now()
      where c.id = ${connectionId} and c.status = 'active'
      returning c.organization_id,
        (select date_part('epoch', h.failing_since) * 1000 from connection_health h where h.connection_id = c.id) as failing_since_ms`.execute(
      em.getKysely(),
    );
    const [disabled] = rows;
    if (!disabled) return false;
    // Whoever makes it active again wants it tried afresh, not disabled by its next failure.
    await sql`
      update connection_health
      set consecutive_failures = 0, failing_since = null, pauses = 0, paused_until = null, throttled_until = null
      where connection_id = ${connectionId}`.execute(em.getKysely());
    await holdDeliveries(em, connectionId);
    await onConnectionDisabled(em, {
      connectionId,
      organizationId: Number(disabled.organization_id),
      reason: cause.reason,
      failingSince: cause.failing && disabled.failing_since_ms !== null ? new Date(disabled.failing_since_ms) : null,
    });
    return true;
  });
}
