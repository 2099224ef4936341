import type { Database } from '../database/Database.js';
import { Authorization } from '../domain/Authorization.js';
import { settleOverdue } from './settleOverdue.js';

/** The latest attempt of each of the connections; one row each at most. Those that ran out are settled on the way. */
export async function findLatestAuthorizations(
  { database }: { database: Database },
  connectionIds: readonly number[],
): Promise<Authorization[]> {
  const em = database.em();
  const rows = await database
    .sql(em)
    .selectFrom('authorizations')
    .distinctOn('connection_id')
    .select('id')
    .where('connection_id', 'in', connectionIds.map(String))
    .orderBy('connection_id')
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .execute();
  const latest = await em.find(Authorization, { id: { $in: rows.map(({ id }) => id) } });
  return Promise.all(latest.map((authorization) => settleOverdue({ database }, authorization)));
}
