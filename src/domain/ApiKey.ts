import { defineEntity, p } from '@mikro-orm/core';
import { Organization } from './Organization.js';

/**
 * What a key may do: `admin` makes and ends keys and sees secrets, `manage` changes connections and subscriptions,
 * `publish` publishes events, `read` looks at everything of its organization.
 */
export const API_KEY_SCOPES = ['admin', 'manage', 'publish', 'read'] as const;
export type ApiKeyScope = (typeof API_KEY_SCOPES)[number];

/** What the key of a platform may do: manage organizations, and act for one. It belongs to none, and has no other scope. */
export const PLATFORM_SCOPE = 'platform';
export type Scope = ApiKeyScope | typeof PLATFORM_SCOPE;

/** What an access token may do at most: it is seen by more eyes than a key, and must not outlive itself. */
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
    /** SHA-256 of the secret, which has 256 bits of its own: a slow hash would add nothing but load. */
    secretHash: p.text(),
    scopes: p.array<string>(),
    /** True: good for getting access tokens, and for nothing else. */
    oauthOnly: p.boolean().default(false),
    createdAt: p.datetime().defaultRaw('now()'),
    lastUsedAt: p.datetime().nullable(),
    revokedAt: p.datetime().nullable(),
  },
});

/** A public and secret key pair with which a backend or frontend calls the API. */
export class ApiKey extends ApiKeySchema.class {}
ApiKeySchema.setClass(ApiKey);
