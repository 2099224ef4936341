import { defineEntity, p } from '@mikro-orm/core';

const OrganizationSchema = defineEntity({
  name: 'Organization',
  tableName: 'organizations',
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    name: p.text(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});

/** A tenant. Every other row belongs to exactly one organization. */
export class Organization extends OrganizationSchema.class {}
OrganizationSchema.setClass(Organization);
