import { defineEntity, p } from '@mikro-orm/core';
import { Organization } from './Organization.js';

/** What somebody did, as it is stored; each is a thing and what was done to it. */
export const AUDIT_ACTIONS = [
  'connection_created',
  'connection_updated',
  'connection_deleted',
  'authorization_started',
  'authorization_completed',
  'authorization_revoked',
  'install_claimed',
  'subscription_created',
  'subscription_updated',
  'subscription_deleted',
  'test_event_broadcast',
  'delivery_retried',
  'deliveries_replayed',
  'signing_secret_revealed',
  'signing_secret_rotated',
  'api_key_created',
  'api_key_revoked',
  'session_created',
  'session_ended',
  'organization_created',
  'organization_updated',
  'organization_deletion_requested',
  'recipient_erasure_requested',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

export const AUDIT_SUBJECTS = [
  'connection',
  'subscription',
  'delivery',
  'replay',
  'api_key',
  'session',
  'organization',
  'recipient',
] as const;
export type AuditSubject = (typeof AUDIT_SUBJECTS)[number];

/** Who did it: a caller by what they presented, or a merchant who came back from a provider. */
export const AUDIT_ACTORS = ['api_key', 'access_token', 'session', 'platform_key', 'merchant'] as const;
export type AuditActor = (typeof AUDIT_ACTORS)[number];

const AuditEventSchema = defineEntity({
  name: 'AuditEvent',
  tableName: 'audit_events',
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    organizationId: () => p.manyToOne(Organization).mapToPk().joinColumn('organization_id').deleteRule('cascade'),
    action: p.text().$type<AuditAction>(),
    actorType: p.text().$type<AuditActor>(),
    /** Of the key or session; it may be gone by now. Null for a merchant. */
    actorId: p.text().nullable(),
    /** Where the call came from; null when nobody knows. */
    address: p.text().nullable(),
    subjectType: p.text().$type<AuditSubject>(),
    subjectId: p.text(),
    /** What changed, as it was before and as it is after. Never a secret. */
    before: p.json<Record<string, unknown>>().nullable(),
    after: p.json<Record<string, unknown>>().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});

/** One line of the audit log. It is written with what it tells of, and never changed. */
export class AuditEvent extends AuditEventSchema.class {}
AuditEventSchema.setClass(AuditEvent);
