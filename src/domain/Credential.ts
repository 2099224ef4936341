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

/** The provider's answer to whether a grant is still valid. */
export interface ConnectionCheck {
  readonly outcome: CheckOutcome;
  /** Text for a person: what was found, and who must act. */
  readonly message: string;
  /** The account that the grant belongs to; null when the provider did not name it. */
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
    /** Encrypted; up to 4,096 characters in plain text. Null once revoked: the row then only keeps the account. */
    accessToken: p.text().nullable(),
    /** Encrypted; up to 512 characters in plain text. */
    refreshToken: p.text().nullable(),
    scopes: p.array<string>(),
    accountId: p.text().nullable().index(),
    accountName: p.text().nullable(),
    accountTimezone: p.text().nullable(),
    expiresAt: p.datetime(),
    /** The access token's lifetime when it was issued; null when it was not recorded. */
    lifetimeSeconds: p.integer().nullable(),
    /** Increases with every token set. A writer names the version that it read (compare and swap). */
    version: p.integer().default(1),
    /** The lease of the process that refreshes the tokens. No other process refreshes them until the lease ends. */
    refreshLeasedBy: p.uuid().nullable(),
    refreshLeasedUntil: p.datetime().nullable(),
    /** Why the last refresh failed, as text for a person; null after a success. */
    refreshProblem: p.text().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    lastRefreshedAt: p.datetime().nullable(),
    /** When the provider last said whether the grant is valid. */
    checkedAt: p.datetime().nullable(),
    /** The result of the last check; null after a new grant. */
    lastCheck: p.json<ConnectionCheck>().nullable(),
    /** When the next daily check is due. */
    nextCheckAt: p.datetime().defaultRaw("now() + interval '1 day'"),
    /** The lease of the process that checks the grant. Other processes reuse its result until the lease ends. */
    checkLeasedBy: p.uuid().nullable(),
    checkLeasedUntil: p.datetime().nullable(),
    /** Missing scopes that the organization was already notified of. */
    toldMissingScopes: p.array<string>().defaultRaw("'{}'"),
  },
});

/** A provider's account as events and the API show it. */
export interface NamedAccount {
  readonly id: string;
  readonly name: string | null;
}

/** The scopes of a grant, and those that were requested or are needed but not granted. */
export interface ScopesOfGrant {
  readonly grantedScopes: readonly string[];
  readonly missingScopes: readonly string[];
}

/** The provider's token set of one connection. */
export class Credential extends CredentialSchema.class {}
CredentialSchema.setClass(Credential);
