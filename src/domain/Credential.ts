import { defineEntity, p } from '@mikro-orm/core';
import { Connection } from './Connection.js';

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
  },
});

/** The provider's token set of one connection. */
export class Credential extends CredentialSchema.class {}
CredentialSchema.setClass(Credential);
