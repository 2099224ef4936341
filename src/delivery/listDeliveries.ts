import { createdBetween } from '../database/createdBetween.js';
import type { Database } from '../database/Database.js';
import { type Page, type PageArguments, paginate } from '../database/paginate.js';
import type { Caller } from '../domain/Caller.js';
import { Delivery, type DeliveryStatus } from '../domain/Delivery.js';
import { isUuid } from '../domain/isUuid.js';
import { parseId } from '../domain/parseId.js';

export interface DeliveryFilter {
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

/** The organization's deliveries, newest first. */
export function listDeliveries(
  { database }: { database: Database },
  caller: Caller,
  args: PageArguments,
  filter: DeliveryFilter = {},
): Promise<Page<Delivery>> {
  const { status, connectionId, subscriptionId, eventId, eventType, createdAfter, createdBefore } = filter;
  const where = {
    organizationId: caller.organizationId,
    ...(status ? { status } : {}),
    ...(connectionId ? { connectionId: parseId(connectionId) ?? 0 } : {}),
    ...(subscriptionId ? { subscriptionId: parseId(subscriptionId) ?? 0 } : {}),
    ...(eventId ? { eventId: isUuid(eventId) ? eventId : NOWHERE } : {}),
    ...(eventType ? { eventType } : {}),
    ...createdBetween(createdAfter, createdBefore),
  };
  return paginate(database.em(), Delivery, 'deliveries', where, args);
}
