import { recordAudit } from '../database/auditLog.js';
import type { Database, EntityManager } from '../database/Database.js';
import { withExternalId } from '../database/externalIds.js';
import { lockConnection } from '../database/lockConnection.js';
import type { Caller } from '../domain/Caller.js';
import { InputError, ProblemList } from '../domain/errors.js';
import { checkExternalId, checkMetadata, refuseNotes } from '../domain/Metadata.js';
import { Subscription } from '../domain/Subscription.js';

interface CreateSubscriptionInput {
  readonly connectionId: string;
  readonly eventType: string;
  /** Default: true. */
  readonly isActive?: boolean | null;
  readonly externalId?: string | null;
  readonly metadata?: Readonly<Record<string, unknown>> | null;
}

/**
 * Routes events of a type to a connection (OpenAPI create_subscription).
 * Throws an InputError: NOT_FOUND (connection), INVALID_CHOICE (event type), CONFLICT (there is one already, or
 * another one has its externalId).
 */
export function createSubscription(
  dependencies: SubscriptionDependencies,
  caller: Caller,
  input: CreateSubscriptionInput,
): Promise<Subscription> {
  const problems = new ProblemList();
  checkEventType(dependencies, input.eventType, problems);
  refuseNotes(caller, input, problems);
  checkExternalId(input.externalId, problems, 'externalId');
  const metadata = checkMetadata(input.metadata, problems, 'metadata');
  problems.throwIfAny();
  const { database } = dependencies;
  const create = async (em: EntityManager): Promise<Subscription> => {
    const connection = await lockConnection(em, caller, input.connectionId, 'connectionId');
    await refuseSecond(em, { connectionId: connection.id, eventType: input.eventType });
    const now = new Date();
    const subscription = em.create(Subscription, {
      organizationId: caller.organizationId,
      connectionId: connection.id,
      eventType: input.eventType,
      isActive: input.isActive ?? true,
      externalId: input.externalId ?? null,
      metadata,
      createdAt: now,
      updatedAt: now,
    });
    await em.flush();
    const subject = ['subscription', subscription.id] as const;
    await recordAudit(em, caller, { action: 'subscription_created', subject, after: auditFacts(subscription) });
    return subscription;
  };
  return withExternalId(database, 'subscriptions', caller, input.externalId, () => database.transaction(create));
}

/** Returns what the audit log stores about a subscription. */
export function auditFacts({ connectionId, eventType, isActive, externalId, metadata }: Subscription) {
  return { connectionId: String(connectionId), eventType, isActive, externalId, metadata };
}

/** What subscriptions need from other folders. */
export interface SubscriptionDependencies {
  readonly database: Database;
  readonly eventTypes: { list(): readonly { readonly name: string }[]; get(name: string): unknown };
  /** Cancels a subscription's undelivered deliveries in the same transaction. */
  readonly cancelForSubscription: (em: EntityManager, subscriptionId: number) => Promise<unknown>;
}

/** Checks that the event type exists. A subscription with a misspelled type would never deliver anything. */
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
 * Refuses a second subscription for the same connection and event type, which would send each event twice. The caller must hold
 * the connection's lock; a unique index also enforces it. Throws an InputError: CONFLICT.
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
