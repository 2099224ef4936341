import type { EntityManager } from '../database/Database.js';
import type { Connection } from '../domain/Connection.js';
import type { NamedAccount, ScopesOfGrant } from '../domain/Credential.js';

/** Publishes changes of a connection's grant to the organization's own webhooks, in the transaction of the change. */
export interface GrantNotices {
  authorizationCompleted(
    em: EntityManager,
    connection: Connection,
    grant: ScopesOfGrant & { readonly account: NamedAccount | null },
  ): Promise<void>;
  reauthorizationRequired(em: EntityManager, connection: Connection): Promise<void>;
  /** The grant belongs to another account than the connection. */
  accountChanged(
    em: EntityManager,
    connection: Connection,
    accounts: { readonly expected: NamedAccount; readonly found: NamedAccount },
  ): Promise<void>;
  scopesMissing(em: EntityManager, connection: Connection, grant: ScopesOfGrant): Promise<void>;
}
