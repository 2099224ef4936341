import type { EntityManager } from '../database/Database.js';
import type { Connection } from '../domain/Connection.js';
import type { NamedAccount, ScopesOfGrant } from '../domain/Credential.js';

/** Tells an organization's own webhooks what became of a connection's grant, in the transaction in which it did. */
export interface GrantNotices {
  authorizationCompleted(
    em: EntityManager,
    connection: Connection,
    grant: ScopesOfGrant & { readonly account: NamedAccount | null },
  ): Promise<void>;
  reauthorizationRequired(em: EntityManager, connection: Connection): Promise<void>;
  /** The grant leads to another account than the connection belongs to. */
  accountChanged(
    em: EntityManager,
    connection: Connection,
    accounts: { readonly expected: NamedAccount; readonly found: NamedAccount },
  ): Promise<void>;
  scopesMissing(em: EntityManager, connection: Connection, grant: ScopesOfGrant): Promise<void>;
}
