import type { Recipient } from '../domain/Recipient.js';

export interface PublishEventInput {
  readonly eventType: string;
  readonly data: Record<string, unknown>;
  /** The publisher's own name for this event, 1 to 255 characters. */
  readonly idempotencyKey?: string | null;
  /** Events of one key, such as a parcel's number, reach each connection in the order of publishing. 1 to 255 characters. */
  readonly orderingKey?: string | null;
  readonly recipient?: Recipient | null;
  /** When it happened; the time of publishing when not given. After 2000, and at most a year ahead. */
  readonly occurredAt?: Date | null;
  /** What it is worth, for Klaviyo only. */
  readonly value?: number | null;
  /** ISO 4217, in capitals; only with a value. */
  readonly valueCurrency?: string | null;
  /** Properties of the event in Klaviyo, for Klaviyo only: flat, and possibly personal. */
  readonly properties?: Record<string, unknown> | null;
}
