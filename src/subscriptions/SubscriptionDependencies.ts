import type { Database, EntityManager } from '../database/Database.js';

/** What subscriptions need of the rooms beside them. */
export interface SubscriptionDependencies {
  readonly database: Database;
  readonly eventTypes: { list(): readonly { readonly name: string }[]; get(name: string): unknown };
  /** Takes back what a subscription still has to deliver, in the same transaction. */
  readonly cancelForSubscription: (em: EntityManager, subscriptionId: number) => Promise<unknown>;
}
