import type { Chore } from './database/Jobs.js';
import { deleteOldEvents } from './events/deleteOldEvents.js';
import type { RefreshDependencies } from './oauth/refreshCredential.js';
import { refreshIdleGrants } from './oauth/refreshIdleGrants.js';
import { settleOverdueAuthorizations } from './oauth/settleOverdueAuthorizations.js';

/** What is done by the clock, by one process at a time. */
export function composeChores(tokens: RefreshDependencies, retentionMs: number): readonly Chore[] {
  const { database, log } = tokens;
  const counted = (name: string, cron: string, work: () => Promise<number>): Chore => ({
    name,
    cron,
    work: async () => {
      const count = await work();
      if (count > 0) log.info({ chore: name, count }, 'A chore was done');
    },
  });
  return [
    counted('settle-overdue-authorizations', '*/5 * * * *', () => settleOverdueAuthorizations({ database })),
    counted('refresh-idle-grants', '17 * * * *', () => refreshIdleGrants(tokens)),
    counted('delete-old-events', '41 3 * * *', () => deleteOldEvents({ database }, new Date(Date.now() - retentionMs))),
  ];
}
