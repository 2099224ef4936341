import type { Database } from '../database/Database.js';
import { type Page, type PageArguments, paginate } from '../database/paginate.js';
import type { Caller } from '../domain/Caller.js';
import { parseId } from '../domain/parseId.js';
import { Subscription } from '../domain/Subscription.js';

export interface SubscriptionFilter {
  readonly eventType?: string | null;
  /** Any of these. */
  readonly eventTypes?: readonly string[];
  readonly isActive?: boolean | null;
  readonly connectionId?: string | null;
}

/** The organization's subscriptions, newest first (OpenAPI list_subscriptions). */
export function listSubscriptions(
  { database }: { database: Database },
  caller: Caller,
  args: PageArguments,
  filter: SubscriptionFilter = {},
): Promise<Page<Subscription>> {
  const where = {
    organizationId: caller.organizationId,
    ...(filter.eventTypes ? { eventType: { $in: [...filter.eventTypes] } } : {}),
    ...(filter.eventType ? { eventType: filter.eventType } : {}),
    ...(typeof filter.isActive === 'boolean' ? { isActive: filter.isActive } : {}),
    ...(filter.connectionId ? { connectionId: parseId(filter.connectionId) ?? 0 } : {}),
  };
  return paginate(database.em(), Subscription, 'subscriptions', where, args);
}
