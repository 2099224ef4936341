import type { EntityManager } from '../database/Database.js';
import type { Connection } from '../domain/Connection.js';

/** Tells an organization's own webhooks what became of a connection's grant, in the transaction in which it did. */
export interface GrantNotices {
  authorizationCompleted(
    em: EntityManager,
    connection: Connection,
    grant: {
      readonly account: { readonly id: string; readonly name: string | null } | null;
      readonly grantedScopes: readonly string[];
      readonly missingScopes: readonly string[];
    },
  ): Promise<void>;
  reauthorizationRequired(em: EntityManager, connection: Connection): Promise<void>;
  /** The grant leads to another account than the connection belongs to. */
  accountChanged(
    em: EntityManager,
    connection: Connection,
    accounts: {
      readonly expected: { readonly id: string; readonly name: string | null };
      readonly found: { readonly id: string; readonly name: string | null };
    },
  ): Promise<void>;
  scopesMissing(
    em: EntityManager,
    connection: Connection,
    grant: { readonly missingScopes: readonly string[]; readonly grantedScopes: readonly string[] },
  ): Promise<void>;
}
