import { sql } from 'kysely';
import { recordAudit } from '../database/auditLog.js';
import type { Database } from '../database/Database.js';
import { type Page, type PageArguments, paginate } from '../database/paginate.js';
import { type Caller, reachableRows } from '../domain/Caller.js';
import type { DeliveryStatus } from '../domain/Delivery.js';
import { DeliveryTask, type DeliveryTaskStatus } from '../domain/DeliveryTask.js';
import { InputError } from '../domain/errors.js';
import { isUuid } from '../domain/ids.js';

interface Dependencies {
  readonly database: Database;
}

/** A replay as its task stores it. Times are in RFC 3339. */
export interface Replay {
  readonly statuses: readonly DeliveryStatus[];
  readonly eventType: string | null;
  readonly subscriptionId: number | null;
  readonly since: string;
  readonly until: string;
}

/** The progress of a replay, and what it replays. */
export interface ReplayProgress {
  readonly id: string;
  readonly status: DeliveryTaskStatus;
  /** Number of deliveries that the replay has made due again so far. */
  readonly count: number;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
  readonly connectionId: number;
  readonly since: Date;
  readonly until: Date;
  readonly statuses: readonly DeliveryStatus[];
}

/**
 * Returns one replay of the caller's organization, or null. Replays of other organizations count as missing. A replay is deleted
 * together with its deliveries (RETENTION_DAYS).
 */
export async function findReplay({ database }: Dependencies, caller: Caller, id: string): Promise<ReplayProgress | null> {
  if (!isUuid(id)) return null;
  const task = await database.em().findOne(DeliveryTask, { id, kind: 'replay', ...reachableRows(caller) });
  return task && toProgress(task);
}

/** The caller's replays, newest first. */
export async function listReplays(
  { database }: Dependencies,
  caller: Caller,
  args: PageArguments,
  filter: { readonly connectionId?: string | null } = {},
): Promise<Page<ReplayProgress>> {
  const where = { kind: 'replay' as const, ...reachableRows(caller, filter.connectionId) };
  const page = await paginate(database.em(), DeliveryTask, 'replays', where, args);
  return { ...page, edges: page.edges.map(({ node, cursor }) => ({ node: toProgress(node), cursor })) };
}

/**
 * Stops a replay: a step that is under way is waited for, and no other follows. What is due again by then stays so. Changes
 * nothing when the replay has ended. Throws an InputError: NOT_FOUND.
 */
export async function stopReplay(
  { database }: Dependencies,
  caller: Caller,
  { id }: { readonly id: string },
): Promise<ReplayProgress> {
  const task = await database.transaction(async (em) => {
    const found = isUuid(id) && (await em.findOne(DeliveryTask, { id, kind: 'replay', ...reachableRows(caller) }));
    if (!found) throw InputError.of('NOT_FOUND', 'There is no such replay.', 'id');
    // A worker holds the row during its step (`takeDeliveryStep`).
    const { numAffectedRows } = await sql`
      update delivery_tasks set status = 'cancelled', finished_at = now() where id = ${id} and status = 'running'`.execute(
      em.getKysely(),
    );
    await em.refresh(found);
    if (numAffectedRows) {
      await recordAudit(em, caller, { action: 'replay_stopped', subject: ['replay', id], after: { count: found.doneCount } });
    }
    return found;
  });
  return toProgress(task);
}

function toProgress({ id, status, doneCount, createdAt, finishedAt, connectionId, input }: DeliveryTask): ReplayProgress {
  const { since, until, statuses } = input as unknown as Replay;
  return {
    ...{ id, status, count: doneCount, createdAt, finishedAt: finishedAt ?? null, connectionId: connectionId ?? 0 },
    ...{ since: new Date(since), until: new Date(until), statuses },
  };
}
