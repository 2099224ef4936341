import { defineEntity, p } from '@mikro-orm/core';
import { ApiKey } from './ApiKey.js';
import { Organization } from './Organization.js';

/**
 * What a session may do: `connect` links one connection and sees how it fares, `view` sees connections, subscriptions and
 * deliveries without their payload, `manage` does what `view` does, and changes them. Field by field in sessionFields.ts.
 */
export const SESSION_PERMISSIONS = ['connect', 'view', 'manage'] as const;
export type SessionPermission = (typeof SESSION_PERMISSIONS)[number];

/** What every token of a session begins with, so that it is known for what it is wherever it turns up. */
export const SESSION_TOKEN_PREFIX = 'ses_';

const SessionSchema = defineEntity({
  name: 'Session',
  tableName: 'sessions',
  properties: {
    id: p.uuid().primary(),
    organizationId: () => p.manyToOne(Organization).mapToPk().joinColumn('organization_id').deleteRule('cascade').index(),
    /** The key that made it. Ending that ends it (a trigger, migration 0018). */
    apiKeyId: () => p.manyToOne(ApiKey).mapToPk().joinColumn('api_key_id').deleteRule('cascade').index(),
    /** SHA-256 of the token, which has 256 bits of its own. */
    tokenHash: p.text().unique(),
    permissions: p.array<string>(),
    /** The only connection that it may touch; kept when that is deleted, which ends the session (a trigger, migration 0018). */
    connectionId: p.bigint('number').nullable(),
    origin: p.text().nullable(),
    returnTo: p.text().nullable(),
    locale: p.text().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    expiresAt: p.datetime(),
    /** When it was ended before it expired. */
    endedAt: p.datetime().nullable(),
  },
});

/** A browser's short, narrow permission to call the API. */
export class Session extends SessionSchema.class {}
SessionSchema.setClass(Session);
