import type { Caller } from '../domain/Caller.js';
import { ProblemList } from '../domain/ProblemList.js';
import { Subscription } from '../domain/Subscription.js';
import { checkEventType } from './checkEventType.js';
import { lockConnection } from './lockConnection.js';
import { refuseSecond } from './refuseSecond.js';
import type { SubscriptionDependencies } from './SubscriptionDependencies.js';

export interface CreateSubscriptionInput {
  readonly connectionId: string;
  readonly eventType: string;
  /** True when not given. */
  readonly isActive?: boolean | null;
}

/**
 * Routes events of a type to a connection (OpenAPI create_subscription).
 * Throws an InputError: NOT_FOUND (connection), INVALID_CHOICE (event type), CONFLICT (there is one already).
 */
export function createSubscription(
  dependencies: SubscriptionDependencies,
  caller: Caller,
  input: CreateSubscriptionInput,
): Promise<Subscription> {
  const problems = new ProblemList();
  checkEventType(dependencies, input.eventType, problems);
  problems.throwIfAny();
  return dependencies.database.transaction(async (em) => {
    const connection = await lockConnection(em, caller, input.connectionId);
    await refuseSecond(em, { connectionId: connection.id, eventType: input.eventType });
    const now = new Date();
    const subscription = em.create(Subscription, {
      organizationId: caller.organizationId,
      connectionId: connection.id,
      eventType: input.eventType,
      isActive: input.isActive ?? true,
      createdAt: now,
      updatedAt: now,
    });
    await em.flush();
    return subscription;
  });
}
