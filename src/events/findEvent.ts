import type { Database } from '../database/Database.js';
import type { Caller } from '../domain/Caller.js';
import { Event } from '../domain/Event.js';
import { isUuid } from '../domain/isUuid.js';

/** One event of the organization, without its payload, or null: somebody else's is not there. */
export async function findEvent({ database }: { database: Database }, caller: Caller, id: string): Promise<Event | null> {
  if (!isUuid(id)) return null;
  const where = { id, organizationId: caller.organizationId };
  return (await database.em().findOne(Event, where, { exclude: ['payload', 'properties'] })) as Event | null;
}
