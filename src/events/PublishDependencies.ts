import type { Cipher } from '../database/Cipher.js';
import type { Database, EntityManager } from '../database/Database.js';
import type { EventTypeRegistry } from './types/eventTypeRegistry.js';

/** What publishing needs of the rooms beside it. */
export interface PublishDependencies {
  readonly database: Database;
  readonly cipher: Cipher;
  readonly eventTypes: EventTypeRegistry;
  /** Adds one delivery for every active subscription, in the publishing transaction: neither exists without the other. */
  readonly insertDeliveries: (
    em: EntityManager,
    batch: {
      readonly organizationId: number;
      readonly events: readonly { readonly id: string; readonly eventType: string; readonly orderingKey?: string | null }[];
    },
  ) => Promise<number>;
  /** How many deliveries of an organization may wait. Both throw TOO_MANY_WAITING. */
  readonly waitingQuota?: {
    /** Before anything is done: whether there is any room. */
    check(organizationId: number): Promise<void>;
    /** The last step of a publishing transaction: whether there is room for what it added. */
    take(em: EntityManager, organizationId: number, added: number): Promise<void>;
  };
  /** Tells the workers, once it is committed. A worker finds the deliveries without it too, a little later. */
  readonly deliverySignal: { notify(): void };
}
