import type { Database } from '../database/Database.js';
import { type Page, type PageArguments, paginate } from '../database/paginate.js';
import { toTimestamp } from '../database/toTimestamp.js';
import { type AuditAction, AuditEvent, type AuditSubject } from '../domain/AuditEvent.js';
import type { Caller } from '../domain/Caller.js';

interface AuditEventFilter {
  readonly action?: AuditAction | null;
  readonly subjectType?: AuditSubject | null;
  readonly subjectId?: string | null;
  readonly createdAfter?: Date | null;
  readonly createdBefore?: Date | null;
}

/** Lists the organization's audit log, newest first. */
export function listAuditEvents(
  { database }: { database: Database },
  { organizationId }: Caller,
  args: PageArguments,
  { action, subjectType, subjectId, createdAfter, createdBefore }: AuditEventFilter = {},
): Promise<Page<AuditEvent>> {
  const createdAt = {
    ...(createdAfter ? { $gt: toTimestamp(createdAfter) } : {}),
    ...(createdBefore ? { $lt: toTimestamp(createdBefore) } : {}),
  };
  const where = {
    organizationId,
    ...(action ? { action } : {}),
    ...(subjectType ? { subjectType } : {}),
    ...(subjectId ? { subjectId } : {}),
    ...(Object.keys(createdAt).length > 0 ? { createdAt } : {}),
  };
  return paginate(database.em(), AuditEvent, 'auditEvents', where, args);
}
