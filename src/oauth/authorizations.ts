import { sql } from 'kysely';
import type { Database } from '../database/Database.js';
import { Authorization } from '../domain/Authorization.js';
import { expireAuthorization, INTERRUPTED_AFTER_MS, recordInterruption } from './completeAuthorization.js';

/** Returns the latest authorization of each connection that has one. Overdue ones are settled first. */
export async function findLatestAuthorizations(
  { database }: { database: Database },
  connectionIds: readonly number[],
): Promise<Authorization[]> {
  const em = database.em();
  const { rows } = await sql<{ id: string }>`
    select distinct on (connection_id) id from authorizations
    where connection_id = any(${sql.val(connectionIds)}::bigint[])
    order by connection_id, created_at desc, id desc`.execute(database.sql(em));
  const latest = await em.find(Authorization, { id: { $in: rows.map(({ id }) => id) } });
  return Promise.all(latest.map((authorization) => settleOverdue({ database }, authorization)));
}

const BATCH = 500;

/** Settles every authorization whose browser never came back, and erases its verifier. Returns how many were looked at. */
export async function settleOverdueAuthorizations({ database }: { database: Database }, now = new Date()): Promise<number> {
  const overdue = await database
    .em()
    .find(Authorization, { status: 'pending', expiresAt: { $lt: now } }, { limit: BATCH, orderBy: { expiresAt: 'asc' } });
  for (const authorization of overdue) await settleOverdue({ database }, authorization);
  return overdue.length;
}

/**
 * Settles an overdue authorization, so that its outcome can be read although no browser came back: expired when its state
 * was never used, interrupted when the process that used it has crashed. Returns it with its outcome.
 */
function settleOverdue(
  dependencies: { database: Database },
  authorization: Authorization,
): Promise<Authorization> | Authorization {
  const { id, status, consumedAt, expiresAt } = authorization;
  if (status !== 'pending') return authorization;
  if (consumedAt) {
    const crashed = consumedAt.getTime() < Date.now() - INTERRUPTED_AFTER_MS;
    return crashed ? recordInterruption(dependencies, authorization) : authorization;
  }
  return expiresAt.getTime() <= Date.now() ? expireAuthorization(dependencies, id) : authorization;
}
