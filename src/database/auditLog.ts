import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import { type AuditAction, AuditEvent, type AuditSubject } from '../domain/AuditEvent.js';
import type { Caller } from '../domain/Caller.js';
import type { Database, EntityManager } from './Database.js';

type Facts = Readonly<Record<string, unknown>>;

interface AuditEntry {
  readonly action: AuditAction;
  readonly subject: readonly [type: AuditSubject, id: number | string];
  /** Must not contain secrets. For a change, fields with the same value before and after are left out. */
  readonly before?: Facts | null;
  readonly after?: Facts | null;
}

/** The actor: a caller, or a merchant's browser that returns from a provider to an organization's connection. */
export type AuditActorFacts =
  | Pick<Caller, 'organizationId' | 'credential' | 'apiKeyId' | 'session' | 'address'>
  | { readonly merchantOf: number };

/**
 * Writes an entry of the audit log in the transaction of the change that it records, so that neither exists without the other. A
 * change without an effect is not recorded.
 */
export async function recordAudit(em: EntityManager, actor: AuditActorFacts, entry: AuditEntry): Promise<void> {
  const { before, after } = differences(entry.before ?? null, entry.after ?? null);
  if (entry.before && entry.after && !before && !after) return;
  const [subjectType, subjectId] = entry.subject;
  const isMerchant = 'merchantOf' in actor;
  em.create(AuditEvent, {
    organizationId: isMerchant ? actor.merchantOf : actor.organizationId,
    action: entry.action,
    actorType: isMerchant ? 'merchant' : actor.credential,
    actorId: isMerchant ? null : (actor.session?.id ?? String(actor.apiKeyId)),
    address: isMerchant ? null : actor.address,
    subjectType,
    subjectId: String(subjectId),
    before,
    after,
    createdAt: new Date(),
  });
  await em.flush();
}

function differences(before: Facts | null, after: Facts | null): { before: Facts | null; after: Facts | null } {
  if (!before || !after) return { before, after };
  const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => !isDeepStrictEqual(before[name], after[name]),
  );
  if (changed.length === 0) return { before: null, after: null };
  const pick = (facts: Facts): Facts => Object.fromEntries(changed.map((name) => [name, facts[name] ?? null]));
  return { before: pick(before), after: pick(after) };
}

/** Number of entries that one step deletes. */
const STEP = 1_000;

/** Deletes entries older than `olderThanMs` milliseconds, oldest first and in bounded steps. Returns how many. */
export async function deleteOldAuditEvents(
  { database }: { database: Database },
  olderThanMs: number,
  stopping: AbortSignal = new AbortController().signal,
): Promise<number> {
  let count = 0;
  for (let deleted = STEP; deleted === STEP && !stopping.aborted; ) {
    const { numAffectedRows } = await sql`
      delete from audit_events where created_at < now() - ${olderThanMs} * interval '1 millisecond'
        and id in (select id from audit_events order by id limit ${STEP})`.execute(database.sql());
    deleted = Number(numAffectedRows ?? 0);
    count += deleted;
  }
  return count;
}
