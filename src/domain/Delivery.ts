import { defineEntity, p } from '@mikro-orm/core';
import { Event } from './Event.js';

export const DELIVERY_STATUSES = ['pending', 'retrying', 'held', 'delivered', 'failed', 'cancelled', 'expired'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

const DeliverySchema = defineEntity({
  name: 'Delivery',
  tableName: 'deliveries',
  properties: {
    /** Also the `webhook-id`: the same for every attempt. */
    id: p.uuid().primary(),
    organizationId: p.bigint('number'),
    eventId: () => p.manyToOne(Event).mapToPk().joinColumn('event_id').deleteRule('cascade'),
    /** May name a subscription or connection that is gone: history stays. */
    subscriptionId: p.bigint('number'),
    connectionId: p.bigint('number'),
    eventType: p.text(),
    status: p.enum(DELIVERY_STATUSES),
    /** All attempts, whatever triggered them. */
    attemptCount: p.integer().default(0),
    /** Automatic retries that are used up. */
    retryCount: p.integer().default(0),
    /** Its place in the queue: when it is next due while pending or retrying. */
    dueAt: p.datetime().defaultRaw('now()'),
    /** Deliveries of one key go to their connection one after another, in the order of `orderingPosition`. */
    orderingKey: p.text().nullable(),
    orderingPosition: p.integer().nullable(),
    /** The lease under which a worker holds it. */
    leasedBy: p.uuid().nullable(),
    /** It is in flight while this lies ahead. */
    leasedUntil: p.datetime().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p.datetime().defaultRaw('now()'),
  },
});

/** One event for one subscription. The table is the queue. */
export class Delivery extends DeliverySchema.class {}
DeliverySchema.setClass(Delivery);
