import type { Database } from '../database/Database.js';
import { createdBetween, type Page, type PageArguments, paginate } from '../database/paginate.js';
import { type Caller, requireWholeOrganization } from '../domain/Caller.js';
import { Event } from '../domain/Event.js';
import { isUuid } from '../domain/ids.js';

interface EventFilter {
  readonly eventType?: string | null;
  readonly idempotencyKey?: string | null;
  readonly createdAfter?: Date | null;
  readonly createdBefore?: Date | null;
}

/** Returns the organization's events, newest first, without their payloads, because a page of payloads can be 25 MB. */
export function listEvents(
  { database }: { database: Database },
  caller: Caller,
  args: PageArguments,
  filter: EventFilter = {},
): Promise<Page<Event>> {
  requireWholeOrganization(caller);
  const where = {
    organizationId: caller.organizationId,
    ...(filter.eventType ? { eventType: filter.eventType } : {}),
    ...(filter.idempotencyKey ? { idempotencyKey: filter.idempotencyKey } : {}),
    ...createdBetween(filter.createdAfter, filter.createdBefore),
  };
  return paginate(database.em(), Event, 'events', where, args, ['payload', 'properties']);
}

/**
 * Returns one event of the caller's organization without its payload, or null. Events of other organizations count as missing.
 */
export async function findEvent({ database }: { database: Database }, caller: Caller, id: string): Promise<Event | null> {
  requireWholeOrganization(caller);
  if (!isUuid(id)) return null;
  const where = { id, organizationId: caller.organizationId };
  return (await database.em().findOne(Event, where, { exclude: ['payload', 'properties'] })) as Event | null;
}
