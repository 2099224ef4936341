import type { EntityManager } from '../database/Database.js';
import { insertNew } from './insertEvents.js';
import { newEvent } from './newEvent.js';
import type { PublishDependencies } from './PublishDependencies.js';

/**
 * Publishes an event of the server's own (`internal` types), with its deliveries, in the transaction of what it is about:
 * the notice exists exactly when that happened.
 */
export async function publishInternalEvent(
  { database, cipher, insertDeliveries, deliverySignal }: PublishDependencies,
  em: EntityManager,
  organizationId: number,
  event: { readonly eventType: string; readonly data: Record<string, unknown> },
): Promise<void> {
  const row = newEvent(cipher, { organizationId }, event, JSON.stringify(event.data));
  await insertNew(database.sql(em), [row]);
  await insertDeliveries(em, { organizationId, events: [row] });
  deliverySignal.notify();
}
