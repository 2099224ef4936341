import type { FilterQuery } from '@mikro-orm/core';
import { sql } from 'kysely';
import type { Database } from '../database/Database.js';
import { createdBetween, type Page, type PageArguments, paginate } from '../database/paginate.js';
import { type Caller, reachableRows } from '../domain/Caller.js';
import { Delivery, type DeliveryStatus } from '../domain/Delivery.js';
import { isUuid, parseId } from '../domain/ids.js';

interface DeliveryFilter {
  readonly status?: DeliveryStatus | null;
  readonly connectionId?: string | null;
  readonly subscriptionId?: string | null;
  readonly eventId?: string | null;
  readonly eventType?: string | null;
  readonly createdAfter?: Date | null;
  readonly createdBefore?: Date | null;
}

/** No delivery has it. */
const NOWHERE = '00000000-0000-0000-0000-000000000000';

/** The caller's deliveries, or those of a connection or an event of theirs, newest first. */
export function listDeliveries(
  { database }: { database: Database },
  caller: Caller,
  args: PageArguments,
  filter: DeliveryFilter = {},
  parent?: { readonly connectionId: number } | { readonly eventId: string },
): Promise<Page<Delivery>> {
  const { status, connectionId, subscriptionId, eventId, eventType, createdAfter, createdBefore } = filter;
  const where: FilterQuery<Delivery> = {
    ...reachableRows(caller, connectionId),
    ...(parent ? { $and: [parent] } : {}),
    ...(status ? { status } : {}),
    ...(subscriptionId ? { subscriptionId: parseId(subscriptionId) ?? 0 } : {}),
    ...(eventId ? { eventId: isUuid(eventId) ? eventId : NOWHERE } : {}),
    ...(eventType ? { eventType } : {}),
    ...createdBetween(createdAfter, createdBefore),
  };
  return paginate(database.em(), Delivery, 'deliveries', where, args);
}

/** One delivery of the organization, or null: somebody else's is not there. */
export async function findDelivery({ database }: { database: Database }, caller: Caller, id: string): Promise<Delivery | null> {
  return isUuid(id) ? database.em().findOne(Delivery, { id, ...reachableRows(caller) }) : null;
}

/** How deliveries of a connection fare. */
export interface ConnectionHealth {
  readonly connectionId: number;
  /** Since when nothing but failures; null when the last delivery went well. */
  readonly failingSince: Date | null;
  /** Until when a rate limit of the destination lasts; null without one. */
  readonly throttledUntil: Date | null;
}

/** The health of connections, as far as there is anything to say. */
export async function findHealth({ database }: { database: Database }, connectionIds: number[]): Promise<ConnectionHealth[]> {
  const { rows } = await sql<Omit<ConnectionHealth, 'connectionId'> & { id: string }>`
    select connection_id as id, failing_since as "failingSince",
      case when throttled_until > now() then throttled_until end as "throttledUntil"
    from connection_health where connection_id = any(${sql.val(connectionIds)}::bigint[])`.execute(database.sql());
  return rows.map(({ id, ...health }) => ({ ...health, connectionId: Number(id) }));
}
