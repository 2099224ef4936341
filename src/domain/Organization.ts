import { defineEntity, p } from '@mikro-orm/core';
import type { Metadata } from './Metadata.js';

const OrganizationSchema = defineEntity({
  name: 'Organization',
  tableName: 'organizations',
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    name: p.text(),
    /** What the platform calls it; unique. */
    externalId: p.text().nullable(),
    metadata: p.json<Metadata>().defaultRaw("'{}'"),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p.datetime().defaultRaw('now()'),
  },
});

/** A tenant. Every other row belongs to exactly one organization. */
export class Organization extends OrganizationSchema.class {}
OrganizationSchema.setClass(Organization);
