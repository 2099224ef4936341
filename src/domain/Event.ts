import { defineEntity, p } from '@mikro-orm/core';
import { Organization } from './Organization.js';

const EventSchema = defineEntity({
  name: 'Event',
  tableName: 'events',
  properties: {
    id: p.uuid().primary(),
    organizationId: () => p.manyToOne(Organization).mapToPk().joinColumn('organization_id').deleteRule('cascade'),
    eventType: p.text(),
    /** The event's `data`, as it was published. */
    payload: p.json<Record<string, unknown>>().columnType('json'),
    /** Encrypted JSON of whom it is about: personal data, for Klaviyo only. */
    recipient: p.text().nullable(),
    /** When it happened, where the publisher said so. */
    occurredAt: p.datetime().nullable(),
    /** What it is worth, for Klaviyo. */
    value: p.float().columnType('double precision').nullable(),
    valueCurrency: p.text().nullable(),
    /** Encrypted JSON of its own properties in Klaviyo: they may be personal. */
    properties: p.text().nullable(),
    idempotencyKey: p.text().nullable(),
    /** Events of one key reach a connection in the order of publishing. */
    orderingKey: p.text().nullable(),
    /** A fingerprint of what was published; set with an idempotency key, to tell a repeat from a conflict. */
    contentHash: p.text().nullable(),
    /** Made by a test broadcast. */
    isTest: p.boolean().default(false),
    createdAt: p.datetime().defaultRaw('now()'),
    /** When its data was erased, since it was about somebody who asked for that. */
    erasedAt: p.datetime().nullable(),
  },
});

/** Something that happened to a parcel, as the application published it. Never changes, unless its data is erased. */
export class Event extends EventSchema.class {}
EventSchema.setClass(Event);

/** An event as its row holds it, for what goes past entities: what it says, and whom it is about. */
export interface EventRow {
  readonly id: string;
  readonly eventType: string;
  /** The event's data as JSON text, exactly as it was published. */
  readonly payload: string;
  /** Encrypted (`columnIdentity.recipient`), or null. */
  readonly recipient: string | null;
  /** When it happened, where the publisher said so. */
  readonly occurredAt: Date | null;
  readonly value: number | null;
  /** ISO 4217. */
  readonly valueCurrency: string | null;
  /** Encrypted (`columnIdentity.properties`), or null. */
  readonly properties: string | null;
}
