import { LockMode } from '@mikro-orm/core';
import type { Caller } from '../domain/Caller.js';
import { InputError } from '../domain/InputError.js';
import { ProblemList } from '../domain/ProblemList.js';
import { parseId } from '../domain/parseId.js';
import { Subscription } from '../domain/Subscription.js';
import { checkEventType } from './checkEventType.js';
import { lockConnection } from './lockConnection.js';
import type { SubscriptionDependencies } from './SubscriptionDependencies.js';

export interface UpdateSubscriptionInput {
  readonly id: string;
  readonly connectionId?: string | null;
  readonly eventType?: string | null;
  readonly isActive?: boolean | null;
}

/**
 * Changes what is given and nothing else (OpenAPI patch-subscription). Deliveries that exist go where they were going;
 * a paused subscription gets no new ones. Throws an InputError: NOT_FOUND, INVALID_CHOICE.
 */
export function updateSubscription(
  dependencies: SubscriptionDependencies,
  caller: Caller,
  input: UpdateSubscriptionInput,
): Promise<Subscription> {
  return dependencies.database.transaction(async (em) => {
    const subscription = await em.findOne(
      Subscription,
      { id: parseId(input.id) ?? 0, organizationId: caller.organizationId },
      { lockMode: LockMode.PESSIMISTIC_WRITE },
    );
    if (!subscription) throw InputError.of('NOT_FOUND', 'There is no such subscription.', 'id');
    const problems = new ProblemList();
    if (input.eventType) checkEventType(dependencies, input.eventType, problems);
    problems.throwIfAny();
    if (input.eventType) subscription.eventType = input.eventType;
    if (input.connectionId) subscription.connectionId = (await lockConnection(em, caller, input.connectionId)).id;
    if (typeof input.isActive === 'boolean') subscription.isActive = input.isActive;
    subscription.updatedAt = new Date();
    await em.flush();
    return subscription;
  });
}
