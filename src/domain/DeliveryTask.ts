import { defineEntity, p } from '@mikro-orm/core';
import { Organization } from './Organization.js';

export type DeliveryTaskStatus = 'running' | 'completed' | 'cancelled';

const DeliveryTaskSchema = defineEntity({
  name: 'DeliveryTask',
  tableName: 'delivery_tasks',
  properties: {
    id: p.uuid().primary(),
    organizationId: () => p.manyToOne(Organization).mapToPk().joinColumn('organization_id').deleteRule('cascade'),
    kind: p.text().$type<'cancel' | 'replay' | 'fan_out'>(),
    connectionId: p.bigint('number').nullable(),
    /** What the kind needs to know. */
    input: p.json<Record<string, unknown>>(),
    status: p.text().$type<DeliveryTaskStatus>(),
    /** Where the next step continues. */
    place: p.text().nullable(),
    /** Number of deliveries that its steps have changed or added. */
    doneCount: p.integer().default(0),
    /** When the next step is due. */
    runAt: p.datetime().defaultRaw('now()'),
    createdAt: p.datetime().defaultRaw('now()'),
    finishedAt: p.datetime().nullable(),
    /** Order of an organization's fan-outs with ordering keys, which run one after another. */
    placeInLine: p.bigint('number'),
    isOrdered: p.boolean().default(false),
    /** Deliveries that a fan-out adds, all together. */
    totalCount: p.integer().default(0),
    /** Steps in a row that failed. */
    failures: p.integer().default(0),
  },
});

/** Work on deliveries that takes more than one bounded step. */
export class DeliveryTask extends DeliveryTaskSchema.class {}
DeliveryTaskSchema.setClass(DeliveryTask);
