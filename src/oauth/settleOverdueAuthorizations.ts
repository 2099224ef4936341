import type { Database } from '../database/Database.js';
import { Authorization } from '../domain/Authorization.js';
import { settleOverdue } from './settleOverdue.js';

const BATCH = 500;

/** Gives every attempt that nobody came back for its outcome, and erases its verifier. Returns how many were looked at. */
export async function settleOverdueAuthorizations({ database }: { database: Database }, now = new Date()): Promise<number> {
  const overdue = await database
    .em()
    .find(Authorization, { status: 'pending', expiresAt: { $lt: now } }, { limit: BATCH, orderBy: { expiresAt: 'asc' } });
  for (const authorization of overdue) await settleOverdue({ database }, authorization);
  return overdue.length;
}
