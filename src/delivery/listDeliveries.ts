import type { FilterQuery } from '@mikro-orm/core';
import { sql } from 'kysely';
import type { Database } from '../database/Database.js';
import { createdBetween, type Page, type PageArguments, paginate, paginateEach } from '../database/paginate.js';
import { type Caller, reachableRows } from '../domain/Caller.js';
import { DELIVERY_STATUSES, Delivery, type DeliveryStatus } from '../domain/Delivery.js';
import { SwitchboardError } from '../domain/errors.js';
import { isUuid, parseId } from '../domain/ids.js';

interface DeliveryFilter {
  readonly status?: DeliveryStatus | null;
  readonly statuses?: readonly DeliveryStatus[] | null;
  readonly connectionId?: string | null;
  readonly subscriptionId?: string | null;
  readonly eventId?: string | null;
  readonly eventType?: string | null;
  readonly createdAfter?: Date | null;
  readonly createdBefore?: Date | null;
}

/** An id that no delivery has. */
const NOWHERE = '00000000-0000-0000-0000-000000000000';

/** Returns a page of the caller's deliveries, newest first. Throws BAD_USER_INPUT. */
export function listDeliveries(
  { database }: { database: Database },
  caller: Caller,
  args: PageArguments,
  filter: DeliveryFilter = {},
): Promise<Page<Delivery>> {
  return paginate(database.em(), Delivery, 'deliveries', conditionsOf(caller, filter), args);
}

/** Returns a page for each of several connections or events of the caller's, in their order. */
export function listDeliveriesOf(
  { database }: { database: Database },
  caller: Caller,
  args: PageArguments,
  filter: DeliveryFilter,
  parents: readonly ({ readonly connectionId: number } | { readonly eventId: string })[],
): Promise<Page<Delivery>[]> {
  return paginateEach(database.em(), Delivery, 'deliveries', conditionsOf(caller, filter), parents, args);
}

function conditionsOf(caller: Caller, filter: DeliveryFilter): FilterQuery<Delivery> {
  const { status, statuses, connectionId, subscriptionId, eventId, eventType, createdAfter, createdBefore } = filter;
  if (statuses && statuses.length > DELIVERY_STATUSES.length) {
    const message = `There are ${DELIVERY_STATUSES.length} statuses: name each once at most in "statuses".`;
    throw new SwitchboardError('BAD_USER_INPUT', message);
  }
  return {
    ...reachableRows(caller, connectionId),
    ...(statuses ? { $and: [{ status: { $in: [...statuses] } }] } : {}),
    ...(status ? { status } : {}),
    ...(subscriptionId ? { subscriptionId: parseId(subscriptionId) ?? 0 } : {}),
    ...(eventId ? { eventId: isUuid(eventId) ? eventId : NOWHERE } : {}),
    ...(eventType ? { eventType } : {}),
    ...createdBetween(createdAfter, createdBefore),
  };
}

/** Returns one delivery of the caller's organization, or null. Deliveries of other organizations count as missing. */
export async function findDelivery({ database }: { database: Database }, caller: Caller, id: string): Promise<Delivery | null> {
  return isUuid(id) ? database.em().findOne(Delivery, { id, ...reachableRows(caller) }) : null;
}

/** The health of a connection's deliveries. */
export interface ConnectionHealth {
  readonly connectionId: number;
  /** Start of the unbroken series of failures; null when the last delivery succeeded. */
  readonly failingSince: Date | null;
  /** End of the destination's rate limit; null when there is none. */
  readonly throttledUntil: Date | null;
}

/** Returns the health of connections. Connections without a record are left out. */
export async function findHealth({ database }: { database: Database }, connectionIds: number[]): Promise<ConnectionHealth[]> {
  const { rows } = await sql<Omit<ConnectionHealth, 'connectionId'> & { id: string }>`
    select connection_id as id, failing_since as "failingSince",
      case when throttled_until > now() then throttled_until end as "throttledUntil"
    from connection_health where connection_id = any(${sql.val(connectionIds)}::bigint[])`.execute(database.sql());
  return rows.map(({ id, ...health }) => ({ ...health, connectionId: Number(id) }));
}
