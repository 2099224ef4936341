import type { Database } from '../database/Database.js';
import type { Caller } from '../domain/Caller.js';
import { parseId } from '../domain/parseId.js';
import { Subscription } from '../domain/Subscription.js';

/** One subscription of the organization, or null: somebody else's is not there (OpenAPI get-subscription). */
export function findSubscription({ database }: { database: Database }, caller: Caller, id: string): Promise<Subscription | null> {
  return database.em().findOne(Subscription, { id: parseId(id) ?? 0, organizationId: caller.organizationId });
}

/** Whether any events go to a connection at the moment. */
export async function hasActiveSubscription({ database }: { database: Database }, connectionId: number): Promise<boolean> {
  return (await database.em().findOne(Subscription, { connectionId, isActive: true })) !== null;
}
