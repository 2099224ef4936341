import { sql } from 'kysely';
import { recordAudit } from '../database/auditLog.js';
import type { Database, EntityManager } from '../database/Database.js';
import { type Look, pauseSeconds } from '../database/steps.js';
import type { Platform } from '../domain/Caller.js';
import { InputError } from '../domain/errors.js';
import type { Logger } from '../domain/Logger.js';
import { Organization } from '../domain/Organization.js';
import { findOrganization, type OrganizationName } from './organizations.js';

interface Dependencies {
  readonly database: Database;
  /** Wakes the background work when the transaction commits. */
  readonly wakeErasing: (em: EntityManager) => Promise<void>;
}

/**
 * Deletes an organization for good. One transaction ends its keys and tokens and stops its first connections. All its
 * connections are stopped when this returns. The rest follows in the background, in bounded steps that survive a crash:
 * grants are revoked and connections deleted, then deliveries, events and the rest are erased, then the organization itself.
 * Calling it again changes nothing. Throws an InputError: REQUIRED, INVALID, NOT_FOUND.
 */
export async function deleteOrganization(
  { database, wakeErasing }: Dependencies,
  platform: Platform,
  name: OrganizationName,
): Promise<Organization> {
  if (!name.id && !name.externalId) throw InputError.of('REQUIRED', 'Give the id or the externalId of the organization.', 'id');
  if (name.id && name.externalId) throw InputError.of('INVALID', 'Give the id or the externalId, not both.', 'externalId');
  const organization = await findOrganization({ database }, platform, name);
  if (!organization) throw InputError.of('NOT_FOUND', 'There is no such organization.', name.id ? 'id' : 'externalId');
  await database.transaction(async (em) => {
    // From here on its callers are refused: `authenticate` looks for this row.
    const { numAffectedRows } = await sql`
      insert into organization_deletions (organization_id)
      select id from organizations where id = ${organization.id} on conflict do nothing`.execute(em.getKysely());
    if (numAffectedRows) {
      const { id: organizationId, name: called, externalId } = organization;
      const subject = ['organization', organizationId] as const;
      const entry = { action: 'organization_deletion_requested', subject, before: { name: called, externalId } } as const;
      await recordAudit(em, { ...platform, organizationId }, entry);
    }
    await stopConnections(em, organization.id);
    await wakeErasing(em);
  });
  while ((await database.transaction((em) => stopConnections(em, organization.id))) === CONNECTIONS_STOPPED);
  return organization;
}

export interface OrganizationDeletion {
  readonly id: number;
  readonly requestedAt: Date;
  readonly connectionsErased: number;
  readonly deliveriesErased: number;
  readonly eventsErased: number;
}

/** Returns the progress of the deletions of some organizations. An organization that is not being deleted is left out. */
export async function findDeletions(
  { database }: { database: Database },
  organizationIds: readonly number[],
): Promise<OrganizationDeletion[]> {
  const { rows } = await sql<Omit<OrganizationDeletion, 'requestedAt'> & { requestedMs: number }>`
    select organization_id::float8 as id, date_part('epoch', requested_at) * 1000 as "requestedMs",
      connection_count as "connectionsErased", delivery_count::float8 as "deliveriesErased", event_count::float8 as "eventsErased"
    from organization_deletions where organization_id = any(${sql.val(organizationIds)}::bigint[])`.execute(database.sql());
  return rows.map(({ requestedMs, ...row }) => ({ ...row, requestedAt: new Date(requestedMs) }));
}

export interface DeletionDependencies {
  readonly database: Database;
  readonly log: Logger;
  /** Queues the revocation of the connection's grant, if it has one, in the same transaction. */
  readonly releaseGrant: (em: EntityManager, connectionId: number) => Promise<void>;
  /** Brings a deleted connection's queue up to date: cancels its deliveries. */
  readonly sweepQueue: (em: EntityManager, connectionId: number) => Promise<unknown>;
}

/**
 * Takes the next step of the first deletion, in one transaction. After a crash the next worker takes the step again, and two
 * workers never take the same one. A failed step is postponed, so that it does not hold up other deletions.
 */
export async function takeDeletionStep(dependencies: DeletionDependencies): Promise<Look> {
  const { database, log } = dependencies;
  let organizationId: string | undefined;
  try {
    return await database.transaction(async (em) => {
      const db = em.getKysely();
      const { rows } = await sql<{ organization_id: string }>`
        select organization_id from organization_deletions where run_at <= now()
        order by run_at limit 1 for update skip locked`.execute(db);
      organizationId = rows[0]?.organization_id;
      if (organizationId === undefined) {
        const { rows: next } = await sql<{ ms: number | null }>`
          select date_part('epoch', min(run_at) - now()) * 1000 as ms from organization_deletions where run_at > now()`.execute(
          db,
        );
        return next[0]?.ms ?? null;
      }
      const { waitMs = 0, connections = 0, deliveries = 0, events = 0 } = await erase(dependencies, em, Number(organizationId));
      await sql`
        update organization_deletions set failures = 0, run_at = clock_timestamp() + ${waitMs} * interval '1 millisecond',
          connection_count = connection_count + ${connections}, delivery_count = delivery_count + ${deliveries},
          event_count = event_count + ${events}
        where organization_id = ${organizationId}`.execute(db);
      return 'taken' as const;
    });
  } catch (error) {
    if (organizationId === undefined) throw error;
    log.error({ organizationId, error: String(error) }, 'A step of deleting an organization failed and is taken again');
    const { rows } = await sql<{ failures: number }>`
      select failures from organization_deletions where organization_id = ${organizationId}`.execute(database.sql());
    await sql`
      update organization_deletions set failures = failures + 1,
        run_at = now() + ${pauseSeconds(rows[0]?.failures ?? 0)} * interval '1 second'
      where organization_id = ${organizationId}`.execute(database.sql());
    return 'taken';
  }
}

interface Erased {
  readonly connections?: number;
  readonly deliveries?: number;
  readonly events?: number;
  /** Milliseconds before the next step. */
  readonly waitMs?: number;
}

/** Maximum rows of one step, of each kind. */
const CONNECTIONS_STOPPED = 500;
const CONNECTIONS = 10;
const DELIVERIES = 1_000;
const EVENTS = 500;
const OTHERS = 1_000;

/** Milliseconds after which rows that are locked, or being completed, are looked at again. */
const BUSY_MS = 500;

/** Seconds after which a process that took an authorization's state must have crashed. */
const EXCHANGE_SECONDS = 60;

/** Takes one step: erases the first kind of rows that is left. */
async function erase(dependencies: DeletionDependencies, em: EntityManager, id: number): Promise<Erased> {
  const db = em.getKysely();
  await sql`delete from delivery_tasks where organization_id = ${id}`.execute(db);
  // A concurrent change may have made a connection active again after the deletion began.
  if ((await stopConnections(em, id)) > 0) return {};
  const connections = await eraseConnections(dependencies, em, id);
  if (connections > 0) return { connections };

  const remove = async (table: string, key: string, limit: number, condition = sql`true`): Promise<number> => {
    const at = sql.ref(key);
    const { numAffectedRows } = await sql`
      delete from ${sql.table(table)} where ${at} in (
        select ${at} from ${sql.table(table)} where organization_id = ${id} and ${condition}
        order by ${at} limit ${limit} for update skip locked
      )`.execute(db);
    return Number(numAffectedRows ?? 0);
  };
  // A trigger deletes their attempts.
  const deliveries = await remove('deliveries', 'id', DELIVERIES);
  if (deliveries > 0) return { deliveries };
  if (await isThere(em, 'deliveries', id)) return { waitMs: BUSY_MS };
  const events = await remove('events', 'id', EVENTS);
  if (events > 0) return { events };
  // An exchange that is under way finds its connection deleted, revokes the grant, and stores that outcome.
  const over = sql`not (status = 'pending' and coalesce(consumed_at > now() - ${EXCHANGE_SECONDS} * interval '1 second', false))`;
  for (const [table, condition] of [
    ['idempotent_requests'],
    ['installs'],
    ['authorizations', over],
    ['erasures'],
    ['sessions'],
    ['audit_events'],
  ] as const) {
    if ((await remove(table, 'id', OTHERS, condition)) > 0) return {};
  }
  if (await isThere(em, 'authorizations', id)) return { waitMs: BUSY_MS };
  const tokens = await sql`
    delete from access_tokens where token_hash in (
      select token_hash from access_tokens t join api_keys k on k.id = t.api_key_id where k.organization_id = ${id} limit ${OTHERS}
    )`.execute(db);
  if (Number(tokens.numAffectedRows ?? 0) > 0) return {};
  // This also deletes its keys, and what was being published when the deletion began.
  await sql`delete from organizations where id = ${id}`.execute(db);
  return {};
}

async function isThere(em: EntityManager, table: string, organizationId: number): Promise<boolean> {
  const { rows } = await sql`select from ${sql.table(table)} where organization_id = ${organizationId} limit 1`.execute(
    em.getKysely(),
  );
  return rows.length > 0;
}

/** Disables connections, so that none of their deliveries is claimed. Returns how many were disabled. */
async function stopConnections(em: EntityManager, organizationId: number): Promise<number> {
  const { numAffectedRows } = await sql`
    update connections set status = 'disabled', status_reason = 'Its organization is being deleted.',
      status_reason_code = 'organization_deleted', updated_at = now()
    where id in (
      select id from connections where organization_id = ${organizationId} and status <> 'disabled'
      order by id limit ${CONNECTIONS_STOPPED} for update
    )`.execute(em.getKysely());
  return Number(numAffectedRows ?? 0);
}

/** Deletes a few connections in the same way as `deleteConnection`. Returns how many. */
async function eraseConnections(
  { releaseGrant, sweepQueue }: DeletionDependencies,
  em: EntityManager,
  organizationId: number,
): Promise<number> {
  const { rows } = await sql<{ id: string }>`
    select id from connections where organization_id = ${organizationId} order by id limit ${CONNECTIONS} for update`.execute(
    em.getKysely(),
  );
  for (const { id } of rows) {
    await releaseGrant(em, Number(id));
    await em.flush();
    await sql`delete from connections where id = ${id}`.execute(em.getKysely());
    await sweepQueue(em, Number(id));
  }
  return rows.length;
}
