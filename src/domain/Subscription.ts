import { defineEntity, p } from '@mikro-orm/core';
import { Connection } from './Connection.js';
import type { Metadata } from './Metadata.js';
import { Organization } from './Organization.js';

const SubscriptionSchema = defineEntity({
  name: 'Subscription',
  tableName: 'subscriptions',
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    organizationId: () => p.manyToOne(Organization).mapToPk().joinColumn('organization_id').deleteRule('cascade'),
    connectionId: () => p.manyToOne(Connection).mapToPk().joinColumn('connection_id').deleteRule('cascade'),
    eventType: p.text(),
    isActive: p.boolean().default(true),
    /** What the organization's own system calls it; unique in the organization. */
    externalId: p.text().nullable(),
    metadata: p.json<Metadata>().defaultRaw("'{}'"),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p.datetime().defaultRaw('now()'),
  },
});

/** Routes events of one type to a connection. */
export class Subscription extends SubscriptionSchema.class {}
SubscriptionSchema.setClass(Subscription);
