import { defineEntity, p } from '@mikro-orm/core';
import { ApiKey } from './ApiKey.js';
import { Organization } from './Organization.js';

/**
 * Permissions of a session: `connect` links one connection and reads its status; `view` reads connections, subscriptions and
 * deliveries without their payload; `manage` does the same and also changes them. sessionFields.ts lists the fields.
 */
export const SESSION_PERMISSIONS = ['connect', 'view', 'manage'] as const;
export type SessionPermission = (typeof SESSION_PERMISSIONS)[number];

/** The prefix of every session token, so that leaked tokens can be recognized. */
export const SESSION_TOKEN_PREFIX = 'ses_';

const SessionSchema = defineEntity({
  name: 'Session',
  tableName: 'sessions',
  properties: {
    id: p.uuid().primary(),
    organizationId: () => p.manyToOne(Organization).mapToPk().joinColumn('organization_id').deleteRule('cascade').index(),
    /** The API key that created the session. Revoking the key ends the session (a trigger, migration 0018). */
    apiKeyId: () => p.manyToOne(ApiKey).mapToPk().joinColumn('api_key_id').deleteRule('cascade').index(),
    /** SHA-256 of the token, which has 256 random bits. */
    tokenHash: p.text().unique(),
    permissions: p.array<string>(),
    /**
     * The only connection that the session may touch. The id is kept when the connection is deleted, which ends the session (a
     * trigger, migration 0018).
     */
    connectionId: p.bigint('number').nullable(),
    origin: p.text().nullable(),
    returnTo: p.text().nullable(),
    locale: p.text().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    expiresAt: p.datetime(),
    /** When the session was ended before its expiry; null otherwise. */
    endedAt: p.datetime().nullable(),
  },
});

/** A browser's short, narrow permission to call the API. */
export class Session extends SessionSchema.class {}
SessionSchema.setClass(Session);
