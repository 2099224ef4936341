import { defineEntity, p } from '@mikro-orm/core';
import { Connection } from './Connection.js';
import { Organization } from './Organization.js';

export const AUTHORIZATION_STATUSES = ['pending', 'completed', 'denied', 'failed', 'expired', 'superseded'] as const;
export type AuthorizationStatus = (typeof AUTHORIZATION_STATUSES)[number];

/**
 * How the callback shows its outcome: as a page, or as a pop-up that sends a message to its opener and closes (OpenID Connect
 * Core 3.1.2.1, `display`).
 */
export const AUTHORIZATION_DISPLAYS = ['page', 'popup'] as const;
export type AuthorizationDisplay = (typeof AUTHORIZATION_DISPLAYS)[number];

const AuthorizationSchema = defineEntity({
  name: 'Authorization',
  tableName: 'authorizations',
  properties: {
    id: p.uuid().primary(),
    organizationId: () => p.manyToOne(Organization).mapToPk().joinColumn('organization_id').deleteRule('cascade').index(),
    /** Null once the connection is deleted. The authorization is kept so that a late callback can be explained. */
    connectionId: () => p.manyToOne(Connection).mapToPk().joinColumn('connection_id').nullable().deleteRule('set null').index(),
    provider: p.text(),
    status: p.enum(AUTHORIZATION_STATUSES),
    /** SHA-256 of the state (RFC 6749 10.12). The state itself is never stored. */
    stateHash: p.text().unique(),
    /** Encrypted PKCE verifier (RFC 7636 4.1). Erased as soon as the authorization has an outcome. */
    codeVerifier: p.text().nullable(),
    redirectUri: p.text(),
    scopes: p.array<string>(),
    returnTo: p.text().nullable(),
    display: p.enum(AUTHORIZATION_DISPLAYS),
    /** The origin of the page that a pop-up tells its outcome; null for another display, and where it is that of `returnTo`. */
    openerOrigin: p.text().nullable(),
    /** The language of its outcome (BCP 47); null: English. */
    locale: p.text().nullable(),
    /** SHA-256 of the cookie that the callback must bring; null when any browser may. */
    browserBindingHash: p.text().nullable(),
    allowAccountChange: p.boolean().default(false),
    accountName: p.text().nullable(),
    errorCode: p.text().nullable(),
    errorDescription: p.text().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    expiresAt: p.datetime(),
    /** When a callback used the state. No other callback may use it afterwards. */
    consumedAt: p.datetime().nullable(),
    completedAt: p.datetime().nullable(),
  },
});

/** One attempt to link a provider: its state, its PKCE verifier and its outcome. */
export class Authorization extends AuthorizationSchema.class {}
AuthorizationSchema.setClass(Authorization);
