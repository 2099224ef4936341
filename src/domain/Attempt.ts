import { defineEntity, p } from '@mikro-orm/core';
import { Delivery } from './Delivery.js';

export const ATTEMPT_TRIGGERS = ['automatic', 'manual', 'test'] as const;
export type AttemptTrigger = (typeof ATTEMPT_TRIGGERS)[number];

const AttemptSchema = defineEntity({
  name: 'Attempt',
  tableName: 'attempts',
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    deliveryId: () => p.manyToOne(Delivery).mapToPk().joinColumn('delivery_id').deleteRule('cascade'),
    /** Starts at 1. */
    number: p.integer(),
    trigger: p.enum(ATTEMPT_TRIGGERS),
    /** Null without a response. */
    statusCode: p.integer().nullable(),
    /** At most 16 KiB. */
    responseBody: p.text().nullable(),
    errorCode: p.text().nullable(),
    errorMessage: p.text().nullable(),
    durationMs: p.integer(),
    startedAt: p.datetime(),
  },
});

/** One HTTP attempt of a delivery. */
export class Attempt extends AttemptSchema.class {}
AttemptSchema.setClass(Attempt);
