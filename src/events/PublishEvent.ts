import type { Cipher } from '../database/Cipher.js';
import type { Database, EntityManager } from '../database/Database.js';
import type { Recipient } from '../domain/Recipient.js';
import type { EventTypeRegistry } from './types/eventTypeRegistry.js';

/** One event as a publisher gives it. */
export interface PublishEventInput {
  readonly eventType: string;
  readonly data: Record<string, unknown>;
  /** Identifies this event for the publisher; 1 to 255 characters. */
  readonly idempotencyKey?: string | null;
  /**
   * Events with the same key, such as a parcel's number, reach each connection in the order of publishing. 1 to 255 characters.
   */
  readonly orderingKey?: string | null;
  readonly recipient?: Recipient | null;
  /** When the event happened; default: the time of publishing. After 2000, and at most a year ahead. */
  readonly occurredAt?: Date | null;
  /** The event's monetary value, for Klaviyo only. */
  readonly value?: number | null;
  /** ISO 4217, in upper case. Only with a value. */
  readonly valueCurrency?: string | null;
  /** Properties of the event in Klaviyo, for Klaviyo only. Flat; may be personal data. */
  readonly properties?: Record<string, unknown> | null;
}

/** What publishing needs from other folders. */
export interface PublishDependencies {
  readonly database: Database;
  readonly cipher: Cipher;
  readonly eventTypes: EventTypeRegistry;
  /** Adds one delivery for every active subscription, in the publishing transaction, so that neither exists without the other. */
  readonly insertDeliveries: (
    em: EntityManager,
    batch: {
      readonly organizationId: number;
      readonly events: readonly { readonly id: string; readonly eventType: string; readonly orderingKey?: string | null }[];
    },
  ) => Promise<number>;
  /** Limits the waiting deliveries of an organization. Both functions throw TOO_MANY_WAITING. */
  readonly waitingQuota?: {
    /** Checks, before the transaction, whether there is any room. */
    check(organizationId: number): Promise<void>;
    /** Checks, as the transaction's last step, whether there is room for what it added. */
    take(em: EntityManager, organizationId: number, added: number): Promise<void>;
  };
  /** Wakes the workers after the commit. Without it they find the deliveries a little later. */
  readonly deliverySignal: { notify(): void };
}
