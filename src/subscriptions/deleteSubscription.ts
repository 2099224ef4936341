import { LockMode } from '@mikro-orm/core';
import { recordAudit } from '../database/auditLog.js';
import { type Caller, reachableRows } from '../domain/Caller.js';
import { InputError } from '../domain/errors.js';
import { parseId } from '../domain/ids.js';
import { Subscription } from '../domain/Subscription.js';
import { auditFacts, type SubscriptionDependencies } from './createSubscription.js';

/**
 * Deletes a subscription and cancels its undelivered deliveries (OpenAPI delete-subscription). Its other deliveries stay on
 * record. Throws an InputError: NOT_FOUND.
 */
export function deleteSubscription(
  { database, cancelForSubscription }: SubscriptionDependencies,
  caller: Caller,
  input: { id: string },
): Promise<string> {
  return database.transaction(async (em) => {
    const subscription = await em.findOne(
      Subscription,
      { id: parseId(input.id) ?? 0, ...reachableRows(caller) },
      { lockMode: LockMode.PESSIMISTIC_WRITE },
    );
    if (!subscription) throw InputError.of('NOT_FOUND', 'There is no such subscription.', 'id');
    const { id } = subscription;
    const before = auditFacts(subscription);
    // Before the deletion, because the deliveries are found through the subscription's row.
    await cancelForSubscription(em, id);
    await em.nativeDelete(Subscription, { id });
    await recordAudit(em, caller, { action: 'subscription_deleted', subject: ['subscription', id], before });
    return String(id);
  });
}
