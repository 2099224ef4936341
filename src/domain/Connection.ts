import { defineEntity, p } from '@mikro-orm/core';
import type { Metadata } from './Metadata.js';
import { Organization } from './Organization.js';

export const CONNECTION_TYPES = ['webhook', 'klaviyo'] as const;
export type ConnectionType = (typeof CONNECTION_TYPES)[number];

export const CONNECTION_STATUSES = ['pending_authorization', 'active', 'reauthorization_required', 'disabled'] as const;
export type ConnectionStatus = (typeof CONNECTION_STATUSES)[number];

export const WEBHOOK_AUTH_TYPES = ['none', 'bearer', 'basic', 'api_key'] as const;
export type WebhookAuthType = (typeof WEBHOOK_AUTH_TYPES)[number];

/** The readable half of a webhook's configuration; its secrets are in `Connection.authConfig`, encrypted. */
export interface WebhookConfiguration {
  readonly url: string;
  readonly authType: WebhookAuthType;
  readonly extraHeaders: readonly { readonly name: string; readonly value: string }[];
}

/** What a Klaviyo connection asks for; what was granted is in its credential. */
export interface KlaviyoConfiguration {
  readonly scopes: readonly string[];
}

const ConnectionSchema = defineEntity({
  name: 'Connection',
  tableName: 'connections',
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    organizationId: () => p.manyToOne(Organization).mapToPk().joinColumn('organization_id').deleteRule('cascade').index(),
    type: p.enum(CONNECTION_TYPES),
    name: p.text().nullable(),
    status: p.enum(CONNECTION_STATUSES),
    /** Why the connection is not active, in a sentence a merchant can act on. */
    statusReason: p.text().nullable(),
    configuration: p.json<WebhookConfiguration | KlaviyoConfiguration>(),
    /** Encrypted JSON of the webhook's auth secrets; null when there are none. */
    authConfig: p.text().nullable(),
    /** Encrypted `whsec_…` (Standard Webhooks) that signs every delivery; webhooks only. */
    signingSecret: p.text().nullable(),
    /** Encrypted; signs as well until it expires, 24 hours after a rotation. */
    previousSigningSecret: p.text().nullable(),
    previousSigningSecretExpiresAt: p.datetime().nullable(),
    /** What the organization's own system calls it; unique in the organization. */
    externalId: p.text().nullable(),
    metadata: p.json<Metadata>().defaultRaw("'{}'"),
    /** Attempts at once, over all processes; null: what the server allows. */
    maxConcurrency: p.integer().nullable(),
    /** Attempts a second, over all processes; null: no limit. */
    maxPerSecond: p.integer().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p.datetime().defaultRaw('now()'),
  },
});

/** Where events go: a webhook, or a merchant's Klaviyo account. */
export class Connection extends ConnectionSchema.class {}
ConnectionSchema.setClass(Connection);
