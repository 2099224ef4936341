import { sweepAccess } from './access/limits.js';
import { sweepSessions } from './access/sessions.js';
import type { CountedChore } from './ConnectionType.js';
import { deleteOldAuditEvents } from './database/auditLog.js';
import type { Chore } from './database/Jobs.js';
import { type ReencryptDependencies, reencrypt } from './database/reencrypt.js';
import { sweepDeliveryStatistics } from './delivery/deliveryStatistics.js';
import { expireHeld, forgetTasks } from './delivery/queue/tasks.js';
import { deleteOldEvents } from './events/deleteOldEvents.js';
import { forgetErasures } from './events/eraseRecipient.js';
import { settleOverdueAuthorizations } from './oauth/authorizations.js';
import { type CheckDependencies, checkDueConnections } from './oauth/checkConnection.js';
import { refreshIdleGrants } from './oauth/getProviderAccessToken.js';
import { sweepInstalls } from './oauth/installs.js';

/** Lists the periodic chores. One process at a time does each. */
export function composeChores(
  tokens: CheckDependencies & Pick<ReencryptDependencies, 'waitingCiphertexts'>,
  { retentionMs, maxAgeMs }: { readonly retentionMs: number; readonly maxAgeMs: number },
  typeChores: readonly CountedChore[],
): readonly Chore[] {
  const { database, log } = tokens;
  const counted = (name: string, cron: string, work: (stopping: AbortSignal) => Promise<number>): Chore => ({
    name,
    cron,
    work: async (stopping) => {
      const count = await work(stopping);
      if (count > 0) log.info({ chore: name, count }, 'A chore was done');
    },
  });
  return [
    counted('settle-overdue-authorizations', '*/5 * * * *', () => settleOverdueAuthorizations({ database })),
    counted('sweep-access', '*/5 * * * *', () => sweepAccess({ database })),
    counted('sweep-sessions', '29 * * * *', () => sweepSessions({ database })),
    counted('sweep-installs', '1-59/5 * * * *', () => sweepInstalls({ database })),
    counted('check-connections', '3-58/5 * * * *', (stopping) => checkDueConnections(tokens, stopping)),
    counted('refresh-idle-grants', '17 * * * *', () => refreshIdleGrants(tokens)),
    counted('delete-old-events', '41 3 * * *', (stopping) => deleteOldEvents({ database }, retentionMs, stopping)),
    counted('delete-old-audit-events', '43 3 * * *', (stopping) => deleteOldAuditEvents({ database }, retentionMs, stopping)),
    counted('expire-held-deliveries', '23 * * * *', (stopping) => expireHeld({ database }, maxAgeMs, stopping)),
    counted('sweep-delivery-statistics', '37 * * * *', (stopping) => sweepDeliveryStatistics({ database }, stopping)),
    counted('forget-tasks', '47 3 * * *', () => forgetTasks({ database }, retentionMs)),
    counted('forget-erasures', '49 3 * * *', () => forgetErasures({ database }, retentionMs)),
    ...typeChores.map(({ name, cron, work }) => counted(name, cron, work)),
    // At start because a new key comes with a restart. Once a day because processes that still use the old key may have written
    // since.
    { ...counted('re-encrypt', '11 2 * * *', (stopping) => reencrypt(tokens, stopping)), atStart: true },
  ];
}
