import type { FilterQuery } from '@mikro-orm/core';
import type { Database } from '../database/Database.js';
import { type Page, type PageArguments, paginate, paginateEach } from '../database/paginate.js';
import { type Caller, reachableRows } from '../domain/Caller.js';
import { parseId } from '../domain/ids.js';
import { Subscription } from '../domain/Subscription.js';

interface SubscriptionFilter {
  readonly eventType?: string | null;
  /** Matches any of these event types. */
  readonly eventTypes?: readonly string[];
  readonly isActive?: boolean | null;
  readonly connectionId?: string | null;
  readonly externalId?: string | null;
}

/** Returns a page of the caller's subscriptions, newest first (OpenAPI list_subscriptions). */
export function listSubscriptions(
  { database }: { database: Database },
  caller: Caller,
  args: PageArguments,
  filter: SubscriptionFilter = {},
): Promise<Page<Subscription>> {
  return paginate(database.em(), Subscription, 'subscriptions', conditionsOf(caller, filter), args);
}

/** Returns a page for each of several connections of the caller's, in their order. */
export function listSubscriptionsOf(
  { database }: { database: Database },
  caller: Caller,
  args: PageArguments,
  filter: SubscriptionFilter,
  connectionIds: readonly number[],
): Promise<Page<Subscription>[]> {
  const parents = connectionIds.map((connectionId) => ({ connectionId }));
  return paginateEach(database.em(), Subscription, 'subscriptions', conditionsOf(caller, filter), parents, args);
}

function conditionsOf(caller: Caller, filter: SubscriptionFilter): FilterQuery<Subscription> {
  return {
    ...reachableRows(caller, filter.connectionId),
    ...(filter.eventTypes ? { eventType: { $in: [...filter.eventTypes] } } : {}),
    ...(filter.eventType ? { eventType: filter.eventType } : {}),
    ...(typeof filter.isActive === 'boolean' ? { isActive: filter.isActive } : {}),
    ...(filter.externalId ? { externalId: filter.externalId } : {}),
  };
}

/**
 * Returns one subscription of the caller's organization, or null (OpenAPI get-subscription). Subscriptions of other organizations
 * count as missing.
 */
export function findSubscription({ database }: { database: Database }, caller: Caller, id: string): Promise<Subscription | null> {
  return database.em().findOne(Subscription, { id: parseId(id) ?? 0, ...reachableRows(caller) });
}

/** Returns the subscription with this externalId, or null. */
export function findSubscriptionByExternalId(
  { database }: { database: Database },
  caller: Caller,
  externalId: string,
): Promise<Subscription | null> {
  if (externalId.includes('\0')) return Promise.resolve(null);
  return database.em().findOne(Subscription, { externalId, ...reachableRows(caller) });
}

/** Returns whether a connection has an active subscription. */
export async function hasActiveSubscription({ database }: { database: Database }, connectionId: number): Promise<boolean> {
  return (await database.em().findOne(Subscription, { connectionId, isActive: true })) !== null;
}
