import { isDeepStrictEqual } from 'node:util';
import { LockMode } from '@mikro-orm/core';
import { recordAudit } from '../database/auditLog.js';
import type { EntityManager } from '../database/Database.js';
import { withExternalId } from '../database/externalIds.js';
import { lockConnection } from '../database/lockConnection.js';
import { type Caller, reachableRows } from '../domain/Caller.js';
import { InputError, ProblemList } from '../domain/errors.js';
import { parseId } from '../domain/ids.js';
import { checkExternalId, checkMetadata, refuseNotes } from '../domain/Metadata.js';
import { Subscription } from '../domain/Subscription.js';
import { auditFacts, checkEventType, refuseSecond, type SubscriptionDependencies } from './createSubscription.js';

export interface UpdateSubscriptionInput {
  readonly id: string;
  readonly connectionId?: string | null;
  readonly eventType?: string | null;
  readonly isActive?: boolean | null;
  /** Undefined: unchanged. Null: none. */
  readonly externalId?: string | null;
  /** Undefined: unchanged. Otherwise it replaces the whole metadata. Null: none. */
  readonly metadata?: Readonly<Record<string, unknown>> | null;
}

/**
 * Updates the given fields of a subscription (OpenAPI patch-subscription). `updatedAt` changes only when a value does.
 * Existing deliveries keep their connection. A paused subscription gets no new ones. Throws an InputError: NOT_FOUND,
 * INVALID_CHOICE, INVALID, CONFLICT.
 */
export function updateSubscription(
  dependencies: SubscriptionDependencies,
  caller: Caller,
  input: UpdateSubscriptionInput,
): Promise<Subscription> {
  const { database } = dependencies;
  const change = async (em: EntityManager): Promise<Subscription> => {
    const problems = new ProblemList();
    refuseNotes(caller, input, problems);
    checkExternalId(input.externalId, problems, 'externalId');
    const metadata = checkMetadata(input.metadata, problems, 'metadata');
    if (input.eventType) checkEventType(dependencies, input.eventType, problems);
    const own = { id: parseId(input.id) ?? 0, ...reachableRows(caller) };
    const before = await em.findOne(Subscription, own);
    if (!before) throw InputError.of('NOT_FOUND', 'There is no such subscription.', 'id');
    problems.throwIfAny();
    // Lock order: connection first, subscription second, as in a deletion.
    const routed = Boolean(input.connectionId || input.eventType);
    const target = input.connectionId ?? String(before.connectionId);
    const connection = routed ? await lockConnection(em, caller, target, 'connectionId') : null;
    const subscription = await em.findOne(Subscription, own, { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true });
    if (!subscription) throw InputError.of('NOT_FOUND', 'There is no such subscription.', 'id');
    const old = auditFacts(subscription);
    if (connection) {
      const eventType = input.eventType || subscription.eventType;
      await refuseSecond(em, { connectionId: connection.id, eventType }, subscription.id);
      em.assign(subscription, { connectionId: connection.id, eventType });
    }
    if (typeof input.isActive === 'boolean') subscription.isActive = input.isActive;
    if (input.externalId !== undefined) subscription.externalId = input.externalId;
    if (input.metadata !== undefined) subscription.metadata = metadata;
    const now = auditFacts(subscription);
    if (isDeepStrictEqual(now, old)) return subscription;
    subscription.updatedAt = new Date();
    await em.flush();
    const subject = ['subscription', subscription.id] as const;
    await recordAudit(em, caller, { action: 'subscription_updated', subject, before: old, after: now });
    return subscription;
  };
  return withExternalId(database, 'subscriptions', caller, input.externalId, () => database.transaction(change));
}
