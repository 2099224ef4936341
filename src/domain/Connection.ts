import { defineEntity, p } from '@mikro-orm/core';
import type { Metadata } from './Metadata.js';
import { Organization } from './Organization.js';

export const CONNECTION_STATUSES = ['pending_authorization', 'active', 'reauthorization_required', 'disabled'] as const;
export type ConnectionStatus = (typeof CONNECTION_STATUSES)[number];

/** Why a connection is not active, for programs; `statusReason` says the same to people. */
export const STATUS_REASON_CODES = [
  'not_authorized_yet',
  'authorization_denied',
  'authorization_failed',
  'authorization_revoked',
  'grant_lost',
  'account_changed',
  'scope_missing',
  'switched_off',
  'failing',
  'gone',
  'organization_deleted',
] as const;
export type StatusReasonCode = (typeof STATUS_REASON_CODES)[number];

const ConnectionSchema = defineEntity({
  name: 'Connection',
  tableName: 'connections',
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    organizationId: () => p.manyToOne(Organization).mapToPk().joinColumn('organization_id').deleteRule('cascade').index(),
    /** The name of a connection type. Only that type's module knows the shape of the configuration. */
    type: p.text(),
    name: p.text().nullable(),
    status: p.enum(CONNECTION_STATUSES),
    /** Why the connection is not active, as a sentence that tells the merchant what to do. */
    statusReason: p.text().nullable(),
    /** The same for programs. */
    statusReasonCode: p.enum(STATUS_REASON_CODES).nullable(),
    configuration: p.json<object>(),
    /** Encrypted JSON of the configuration's secrets; null when there are none. */
    authConfig: p.text().nullable(),
    /**
     * Encrypted `whsec_…` (Standard Webhooks) that signs every delivery, if the destination signs. Null until it is first needed.
     */
    signingSecret: p.text().nullable(),
    /** Encrypted. Also signs until it expires, 24 hours after a rotation. */
    previousSigningSecret: p.text().nullable(),
    previousSigningSecretExpiresAt: p.datetime().nullable(),
    /** What the organization's own system calls it; unique in the organization. */
    externalId: p.text().nullable(),
    metadata: p.json<Metadata>().defaultRaw("'{}'"),
    /** Attempts at once, over all processes; null: what the server allows. */
    maxConcurrency: p.integer().nullable(),
    /** Maximum attempts a second, over all processes; null: no limit. */
    maxPerSecond: p.integer().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p.datetime().defaultRaw('now()'),
  },
});

/** A destination of events: a webhook or a linked provider account. */
export class Connection extends ConnectionSchema.class {}
ConnectionSchema.setClass(Connection);
