import { sql } from 'kysely';
import type { EntityManager } from '../../database/Database.js';

/** Rows of one step: short enough to be in nobody's way. */
export const SWEEP_BATCH = 1_000;

/**
 * Brings the first deliveries of a queue into line with its connection, in the transaction that changes or deletes that:
 * holds, releases or cancels them (migration 0008). Returns how many. The engine does the rest in the background, and claims
 * none of it meanwhile. What is in flight is left to its worker.
 */
export async function sweepQueue(em: EntityManager, connectionId: number, batch = SWEEP_BATCH): Promise<number> {
  const { rows } = await sql<{ changed: number | null }>`select changed from sweep_queue(${connectionId}, ${batch})`.execute(
    em.getKysely(),
  );
  return rows[0]?.changed ?? 0;
}
