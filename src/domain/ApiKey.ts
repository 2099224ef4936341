import { defineEntity, p } from '@mikro-orm/core';
import { Organization } from './Organization.js';

/**
 * The scopes of a key: `admin` creates and revokes keys and reveals secrets, `manage` changes connections and subscriptions,
 * `publish` publishes events, `read` reads everything of its organization.
 */
export const API_KEY_SCOPES = ['admin', 'manage', 'publish', 'read'] as const;
export type ApiKeyScope = (typeof API_KEY_SCOPES)[number];

/** What the key of a platform may do: manage organizations, and act for one. It belongs to none, and has no other scope. */
export const PLATFORM_SCOPE = 'platform';
export type Scope = ApiKeyScope | typeof PLATFORM_SCOPE;

/** The scopes that an access token may have. They are few, because tokens are passed around more than keys. */
export const TOKEN_SCOPES = ['manage', 'publish', 'read'] as const satisfies readonly ApiKeyScope[];

const ApiKeySchema = defineEntity({
  name: 'ApiKey',
  tableName: 'api_keys',
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    /** Null: a platform's. */
    organizationId: () =>
      p.manyToOne(Organization).mapToPk().joinColumn('organization_id').deleteRule('cascade').index().nullable(),
    name: p.text().nullable(),
    publicKey: p.text().unique(),
    /** SHA-256 of the secret, which has 256 random bits, so a slow hash would only add load. */
    secretHash: p.text(),
    scopes: p.array<string>(),
    /** True when the key is valid at the token endpoint only. */
    oauthOnly: p.boolean().default(false),
    createdAt: p.datetime().defaultRaw('now()'),
    lastUsedAt: p.datetime().nullable(),
    revokedAt: p.datetime().nullable(),
  },
});

/** A public and secret key with which a backend or frontend calls the API. */
export class ApiKey extends ApiKeySchema.class {}
ApiKeySchema.setClass(ApiKey);
