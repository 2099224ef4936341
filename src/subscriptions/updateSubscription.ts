import { LockMode } from '@mikro-orm/core';
import { type Caller, reachableRows } from '../domain/Caller.js';
import { InputError, ProblemList } from '../domain/errors.js';
import { parseId } from '../domain/ids.js';
import { Subscription } from '../domain/Subscription.js';
import { checkEventType, lockConnection, refuseSecond, type SubscriptionDependencies } from './createSubscription.js';

export interface UpdateSubscriptionInput {
  readonly id: string;
  readonly connectionId?: string | null;
  readonly eventType?: string | null;
  readonly isActive?: boolean | null;
}

/**
 * Changes what is given and nothing else (OpenAPI patch-subscription), and `updatedAt` only if anything did. Deliveries that exist go where they were going;
 * a paused subscription gets no new ones. Throws an InputError: NOT_FOUND, INVALID_CHOICE, CONFLICT.
 */
export function updateSubscription(
  dependencies: SubscriptionDependencies,
  caller: Caller,
  input: UpdateSubscriptionInput,
): Promise<Subscription> {
  return dependencies.database.transaction(async (em) => {
    const problems = new ProblemList();
    if (input.eventType) checkEventType(dependencies, input.eventType, problems);
    const own = { id: parseId(input.id) ?? 0, ...reachableRows(caller) };
    const before = await em.findOne(Subscription, own);
    if (!before) throw InputError.of('NOT_FOUND', 'There is no such subscription.', 'id');
    problems.throwIfAny();
    // Connection first, subscription second, as a deletion locks them.
    const routed = Boolean(input.connectionId || input.eventType);
    const connection = routed ? await lockConnection(em, caller, input.connectionId ?? String(before.connectionId)) : null;
    const subscription = await em.findOne(Subscription, own, { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true });
    if (!subscription) throw InputError.of('NOT_FOUND', 'There is no such subscription.', 'id');
    const { connectionId: oldConnection, eventType: oldType, isActive: wasActive } = subscription;
    if (connection) {
      const eventType = input.eventType || subscription.eventType;
      await refuseSecond(em, { connectionId: connection.id, eventType }, subscription.id);
      em.assign(subscription, { connectionId: connection.id, eventType });
    }
    if (typeof input.isActive === 'boolean') subscription.isActive = input.isActive;
    const { connectionId, eventType, isActive } = subscription;
    if (connectionId === oldConnection && eventType === oldType && isActive === wasActive) return subscription;
    subscription.updatedAt = new Date();
    await em.flush();
    return subscription;
  });
}
