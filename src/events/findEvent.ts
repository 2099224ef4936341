import type { Database } from '../database/Database.js';
import type { Caller } from '../domain/Caller.js';
import { Event } from '../domain/Event.js';
import { isUuid } from '../domain/isUuid.js';

/** One event of the organization, or null: somebody else's is not there. */
export async function findEvent({ database }: { database: Database }, caller: Caller, id: string): Promise<Event | null> {
  return isUuid(id) ? database.em().findOne(Event, { id, organizationId: caller.organizationId }) : null;
}
