import { defineEntity, p } from '@mikro-orm/core';
import { Connection } from './Connection.js';

export const CHECK_OUTCOMES = [
  'healthy',
  'revoked',
  'account_changed',
  'scopes_missing',
  'unreachable',
  'not_authorized',
] as const;
export type CheckOutcome = (typeof CHECK_OUTCOMES)[number];

/** What the provider said when it was asked whether a grant lives. */
export interface ConnectionCheck {
  readonly outcome: CheckOutcome;
  /** For people: what was found, and whose turn it is. */
  readonly message: string;
  /** The account that the grant leads to; null when the provider did not say. */
  readonly account: { readonly id: string; readonly name: string | null; readonly timezone: string | null } | null;
  readonly missingScopes: readonly string[];
  /** RFC 3339. */
  readonly checkedAt: string;
}

const CredentialSchema = defineEntity({
  name: 'Credential',
  tableName: 'credentials',
  properties: {
    connectionId: () => p.manyToOne(Connection).mapToPk().joinColumn('connection_id').primary().deleteRule('cascade'),
    provider: p.text(),
    /** Encrypted; up to 4,096 characters in the clear. Null once revoked: the row then only remembers the account. */
    accessToken: p.text().nullable(),
    /** Encrypted; up to 512 characters in the clear. */
    refreshToken: p.text().nullable(),
    scopes: p.array<string>(),
    accountId: p.text().nullable().index(),
    accountName: p.text().nullable(),
    accountTimezone: p.text().nullable(),
    expiresAt: p.datetime(),
    /** How long the access token was good for when it was issued; null when nobody noted it. */
    lifetimeSeconds: p.integer().nullable(),
    /** Goes up with every token set: a writer names the version it read (compare and swap). */
    version: p.integer().default(1),
    /** Who refreshes it at the moment; nobody else does until the lease runs out. */
    refreshLeasedBy: p.uuid().nullable(),
    refreshLeasedUntil: p.datetime().nullable(),
    /** Why the last refresh did not work, for people; null since one did. */
    refreshProblem: p.text().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    lastRefreshedAt: p.datetime().nullable(),
    /** When the provider last said whether the grant lives. */
    checkedAt: p.datetime().nullable(),
    /** What the last check found; null since a new grant came. */
    lastCheck: p.json<ConnectionCheck>().nullable(),
    /** When the daily check is due. */
    nextCheckAt: p.datetime().defaultRaw("now() + interval '1 day'"),
    /** Who checks it at the moment. Without one, what was found is good for others until the lease runs out. */
    checkLeasedBy: p.uuid().nullable(),
    checkLeasedUntil: p.datetime().nullable(),
    /** Missing scopes that the organization was told of already. */
    toldMissingScopes: p.array<string>().defaultRaw("'{}'"),
  },
});

/** An account at a provider, as others are told of it. */
export interface NamedAccount {
  readonly id: string;
  readonly name: string | null;
}

/** What a grant allows, and what was asked for or is needed but not granted. */
export interface ScopesOfGrant {
  readonly grantedScopes: readonly string[];
  readonly missingScopes: readonly string[];
}

/** The provider's token set of one connection. */
export class Credential extends CredentialSchema.class {}
CredentialSchema.setClass(Credential);
