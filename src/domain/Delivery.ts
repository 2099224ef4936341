import { defineEntity, p } from '@mikro-orm/core';
import { Event } from './Event.js';

export const DELIVERY_STATUSES = ['pending', 'retrying', 'held', 'delivered', 'failed', 'cancelled', 'expired'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

const DeliverySchema = defineEntity({
  name: 'Delivery',
  tableName: 'deliveries',
  properties: {
    /** Sent as `webhook-id`; identical for every attempt. */
    id: p.uuid().primary(),
    organizationId: p.bigint('number'),
    eventId: () => p.manyToOne(Event).mapToPk().joinColumn('event_id').deleteRule('cascade'),
    /** May name a deleted subscription or connection, because deliveries are kept. */
    subscriptionId: p.bigint('number'),
    connectionId: p.bigint('number'),
    eventType: p.text(),
    status: p.enum(DELIVERY_STATUSES),
    /** Number of all attempts, whatever their trigger. */
    attemptCount: p.integer().default(0),
    /** Number of automatic retries that are used up. */
    retryCount: p.integer().default(0),
    /** Position in the queue: when the delivery is next due, while pending or retrying. */
    dueAt: p.datetime().defaultRaw('now()'),
    /** Deliveries with the same key go to their connection one after another, in the order of `orderingPosition`. */
    orderingKey: p.text().nullable(),
    orderingPosition: p.integer().nullable(),
    /** The lease under which a worker holds the delivery. */
    leasedBy: p.uuid().nullable(),
    /** The delivery is in flight until this time. */
    leasedUntil: p.datetime().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p.datetime().defaultRaw('now()'),
  },
});

/** One event for one subscription. The table is the queue. */
export class Delivery extends DeliverySchema.class {}
DeliverySchema.setClass(Delivery);
