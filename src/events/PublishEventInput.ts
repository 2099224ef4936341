/** Whom an event is about. Personal data: encrypted at rest, for Klaviyo only, never in a webhook's body or a log. */
export interface Recipient {
  readonly email?: string | null;
  /** E.164. */
  readonly phoneNumber?: string | null;
  readonly externalId?: string | null;
}

export interface PublishEventInput {
  readonly eventType: string;
  readonly data: Record<string, unknown>;
  /** The publisher's own name for this event, 1 to 255 characters. */
  readonly idempotencyKey?: string | null;
  /** Events of one key, such as a parcel's number, reach each connection in the order of publishing. 1 to 255 characters. */
  readonly orderingKey?: string | null;
  readonly recipient?: Recipient | null;
}
