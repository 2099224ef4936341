import { defineEntity, p } from '@mikro-orm/core';
import { Organization } from './Organization.js';

/** Actions that the audit log records. Each name is an object and what happened to it. */
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
  'replay_stopped',
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

/** Kinds of actors: callers by their credential, or a merchant who returned from a provider. */
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
    /** Id of the key or session, which may be deleted by now. Null for a merchant. */
    actorId: p.text().nullable(),
    /** IP address of the call; null when unknown. */
    address: p.text().nullable(),
    subjectType: p.text().$type<AuditSubject>(),
    subjectId: p.text(),
    /** The changed fields before and after. Never contains a secret. */
    before: p.json<Record<string, unknown>>().nullable(),
    after: p.json<Record<string, unknown>>().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});

/** One entry of the audit log. It is written in the transaction of the change that it records, and never changed. */
export class AuditEvent extends AuditEventSchema.class {}
AuditEventSchema.setClass(AuditEvent);
