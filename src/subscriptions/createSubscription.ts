import { LockMode } from '@mikro-orm/core';
import type { Database, EntityManager } from '../database/Database.js';
import { type Caller, reachableConnection } from '../domain/Caller.js';
import { Connection } from '../domain/Connection.js';
import { InputError, ProblemList } from '../domain/errors.js';
import { Subscription } from '../domain/Subscription.js';

interface CreateSubscriptionInput {
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

/** What subscriptions need of the rooms beside them. */
export interface SubscriptionDependencies {
  readonly database: Database;
  readonly eventTypes: { list(): readonly { readonly name: string }[]; get(name: string): unknown };
  /** Takes back what a subscription still has to deliver, in the same transaction. */
  readonly cancelForSubscription: (em: EntityManager, subscriptionId: number) => Promise<unknown>;
}

/**
 * The caller's connection, which nobody can delete, or give subscriptions to, before the transaction ends.
 * Throws an InputError: NOT_FOUND.
 */
export async function lockConnection(em: EntityManager, caller: Caller, connectionId: string): Promise<Connection> {
  const connection = await em.findOne(Connection, reachableConnection(caller, connectionId), {
    lockMode: LockMode.PESSIMISTIC_WRITE,
  });
  if (!connection) throw InputError.of('NOT_FOUND', 'There is no such connection.', 'connectionId');
  return connection;
}

/** Only known event types can be subscribed to; a typo would never deliver anything. */
export function checkEventType(
  { eventTypes }: Pick<SubscriptionDependencies, 'eventTypes'>,
  eventType: string,
  problems: ProblemList,
): void {
  if (eventTypes.get(eventType)) return;
  const names = eventTypes.list().map(({ name }) => name);
  problems.add('INVALID_CHOICE', `There is no such event type. There are: ${names.join(', ')}.`, 'eventType');
}

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
