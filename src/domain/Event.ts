import { defineEntity, p } from '@mikro-orm/core';
import { Organization } from './Organization.js';

const EventSchema = defineEntity({
  name: 'Event',
  tableName: 'events',
  properties: {
    id: p.uuid().primary(),
    organizationId: () => p.manyToOne(Organization).mapToPk().joinColumn('organization_id').deleteRule('cascade'),
    eventType: p.text(),
    /** The event's `data`, exactly as published. */
    payload: p.json<Record<string, unknown>>().columnType('json'),
    /** Encrypted JSON of the recipient: personal data, for Klaviyo only. */
    recipient: p.text().nullable(),
    /** When the event happened, if the publisher said so. */
    occurredAt: p.datetime().nullable(),
    /** The event's monetary value, for Klaviyo. */
    value: p.float().columnType('double precision').nullable(),
    valueCurrency: p.text().nullable(),
    /** Encrypted JSON of the event's own properties for Klaviyo, which may be personal data. */
    properties: p.text().nullable(),
    idempotencyKey: p.text().nullable(),
    /** Events with the same key reach a connection in the order of publishing. */
    orderingKey: p.text().nullable(),
    /** Fingerprint of the published content. Set with an idempotency key, to distinguish a repetition from a conflict. */
    contentHash: p.text().nullable(),
    /** True when a test broadcast created it. */
    isTest: p.boolean().default(false),
    createdAt: p.datetime().defaultRaw('now()'),
    /** When its data was erased because the person asked for that. */
    erasedAt: p.datetime().nullable(),
  },
});

/** Something that happened to a parcel, as the application published it. Never changes, unless its data is erased. */
export class Event extends EventSchema.class {}
EventSchema.setClass(Event);

/** An event as its row stores it, for code that bypasses entities. */
export interface EventRow {
  readonly id: string;
  readonly eventType: string;
  /** The event's data as JSON text, exactly as it was published. */
  readonly payload: string;
  /** Encrypted (`columnIdentity.recipient`), or null. */
  readonly recipient: string | null;
  /** When the event happened, if the publisher said so. */
  readonly occurredAt: Date | null;
  readonly value: number | null;
  /** ISO 4217. */
  readonly valueCurrency: string | null;
  /** Encrypted (`columnIdentity.properties`), or null. */
  readonly properties: string | null;
}
