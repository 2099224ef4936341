import type { Database } from '../database/Database.js';
import type { Caller } from '../domain/Caller.js';
import { Delivery } from '../domain/Delivery.js';
import { isUuid } from '../domain/isUuid.js';

/** One delivery of the organization, or null: somebody else's is not there. */
export async function findDelivery({ database }: { database: Database }, caller: Caller, id: string): Promise<Delivery | null> {
  return isUuid(id) ? database.em().findOne(Delivery, { id, organizationId: caller.organizationId }) : null;
}
