import type { EntityManager } from '../database/Database.js';
import { InputError } from '../domain/InputError.js';
import { Subscription } from '../domain/Subscription.js';

/**
 * A connection has one subscription for each event type: a second one would send each event there twice. The caller holds
 * the connection's lock; the database enforces it besides. Throws an InputError: CONFLICT.
 */
export async function refuseSecond(
  em: EntityManager,
  { connectionId, eventType }: { readonly connectionId: number; readonly eventType: string },
  ownId?: number,
): Promise<void> {
  const other = await em.findOne(Subscription, { connectionId, eventType, ...(ownId ? { id: { $ne: ownId } } : {}) });
  if (!other) return;
  const paused = other.isActive ? '' : ', which is paused';
  throw InputError.of(
    'CONFLICT',
    `This connection has a subscription to ${eventType} already: ${other.id}${paused}. Change or delete that one.`,
    'eventType',
  );
}
