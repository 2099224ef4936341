import { sql } from 'kysely';
import type { Database } from '../database/Database.js';
import { type Caller, onlyConnection, type Platform } from '../domain/Caller.js';

/** Since when the oldest delivery of something waits. */
export interface OldestWaiting {
  /** Of the connection or the organization. */
  readonly id: number;
  readonly since: Date;
}

/** Deliveries of one queue that are examined, those that are due first. */
const OF_CONNECTION = 200;

/** Queues of an organization that are examined, those with the earliest due delivery, and deliveries of each. */
const QUEUES = 100;
const OF_QUEUE = 20;

/** RETRYING deliveries that are examined, the oldest of an organization. Behind the due ones, a retry may wait for hours. */
const RETRYING = 100;

/** PENDING and RETRYING deliveries count from publishing or, as everywhere, from the last retry by hand. */
const SINCE = sql`coalesce(d.retried_at, d.created_at)`;

/**
 * Returns since when the oldest PENDING or RETRYING delivery of each connection waits. Connections where nothing waits are left
 * out. Exact while at most 200 wait; beyond that, a younger one may be found. The cost does not depend on how many wait.
 */
export function findOldestWaiting(
  { database }: { database: Database },
  connectionIds: readonly number[],
): Promise<OldestWaiting[]> {
  return read(
    database,
    sql`
      select c.id, least((
        select min(w.since) from (
          select ${SINCE} as since from deliveries d
          where d.connection_id = c.id and d.status in ('pending', 'retrying') order by d.due_at limit ${OF_CONNECTION}
        ) w
      ), (
        select min(r.since) from (
          select d.connection_id, ${SINCE} as since from deliveries d
          where d.organization_id = c.organization_id and d.status = 'retrying' order by d.id limit ${RETRYING}
        ) r where r.connection_id = c.id
      )) as since
      from connections c where c.id = any(${sql.val(connectionIds)}::bigint[])`,
  );
}

/**
 * The same for organizations, all their connections together; for a caller who is confined to a connection, of that one alone.
 * Exact while at most 100 connections have something waiting, 20 deliveries each.
 */
export async function findOldestWaitingOf(
  { database }: { database: Database },
  caller: Caller | Platform | null,
  organizationIds: readonly number[],
): Promise<OldestWaiting[]> {
  const only = caller?.organizationId ? onlyConnection(caller) : null;
  if (caller?.organizationId && only !== null) {
    const [found] = await findOldestWaiting({ database }, [only]);
    return found ? [{ id: caller.organizationId, since: found.since }] : [];
  }
  return read(
    database,
    sql`
      select o.id, least((
        select min(w.since)
        from (
          select q.connection_id from connections c join delivery_queues q on q.connection_id = c.id
          where c.organization_id = o.id and q.due_from is not null order by q.due_from limit ${QUEUES}
        ) q cross join lateral (
          select ${SINCE} as since from deliveries d
          where d.connection_id = q.connection_id and d.status in ('pending', 'retrying') order by d.due_at limit ${OF_QUEUE}
        ) w
      ), (
        select min(r.since) from (
          select ${SINCE} as since from deliveries d
          where d.organization_id = o.id and d.status = 'retrying' order by d.id limit ${RETRYING}
        ) r
      )) as since
      from unnest(${sql.val(organizationIds)}::bigint[]) o (id)`,
  );
}

async function read(database: Database, rows: ReturnType<typeof sql>): Promise<OldestWaiting[]> {
  const found = await sql<{ id: string; since: Date }>`
    select id, since from (${rows}) found where since is not null`.execute(database.sql());
  return found.rows.map(({ id, since }) => ({ id: Number(id), since }));
}
