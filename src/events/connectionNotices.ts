import type { EntityManager } from '../database/Database.js';
import type { Connection } from '../domain/Connection.js';
import type { NamedAccount, ScopesOfGrant } from '../domain/Credential.js';
import { insertNew, newEvent, type PublishDependencies } from './insertEvents.js';
import type {
  ConnectionAccountChangedData,
  ConnectionAuthorizationCompletedData,
  ConnectionDisabledData,
  ConnectionEventData,
  ConnectionScopesMissingData,
} from './types/connectionEvents.js';

/** Publishes changes of connections as events of their organization, for all subscriptions to those event types. */
export function connectionNotices(dependencies: PublishDependencies) {
  const publish = (em: EntityManager, { organizationId }: Connection, eventType: string, data: ConnectionEventData) =>
    publishInternalEvent(dependencies, em, organizationId, { eventType, data });
  return {
    authorizationCompleted(
      em: EntityManager,
      connection: Connection,
      grant: ScopesOfGrant & { readonly account: NamedAccount | null },
    ): Promise<void> {
      const data: ConnectionAuthorizationCompletedData = {
        ...about(connection),
        account: grant.account && { id: grant.account.id, name: grant.account.name },
        granted_scopes: [...grant.grantedScopes],
        missing_scopes: [...grant.missingScopes],
      };
      return publish(em, connection, 'connections.authorization.completed', data);
    },
    reauthorizationRequired(em: EntityManager, connection: Connection): Promise<void> {
      return publish(em, connection, 'connections.reauthorization.required', about(connection));
    },
    accountChanged(
      em: EntityManager,
      connection: Connection,
      { expected, found }: { readonly expected: NamedAccount; readonly found: NamedAccount },
    ): Promise<void> {
      const data: ConnectionAccountChangedData = {
        ...about(connection),
        expected_account: { id: expected.id, name: expected.name },
        found_account: { id: found.id, name: found.name },
      };
      return publish(em, connection, 'connections.account.changed', data);
    },
    scopesMissing(em: EntityManager, connection: Connection, grant: ScopesOfGrant): Promise<void> {
      const data: ConnectionScopesMissingData = {
        ...about(connection),
        missing_scopes: [...grant.missingScopes],
        granted_scopes: [...grant.grantedScopes],
      };
      return publish(em, connection, 'connections.scopes.missing', data);
    },
    disabled(em: EntityManager, connection: Connection, failingSince: Date | null): Promise<void> {
      const data: ConnectionDisabledData = { ...about(connection), failing_since: failingSince?.toISOString() ?? null };
      return publish(em, connection, 'connections.disabled', data);
    },
  };
}

function about({ id, type, name, status, statusReason }: Connection): ConnectionEventData {
  return {
    connection: { id: String(id), type, name: name ?? null, status, status_reason: statusReason ?? null },
    occurred_at: new Date().toISOString(),
  };
}

/**
 * Publishes an event of an `internal` type, with its deliveries, in the transaction of the change that it reports, so that it
 * exists exactly if the change was committed.
 */
async function publishInternalEvent(
  { database, cipher, insertDeliveries, deliverySignal }: PublishDependencies,
  em: EntityManager,
  organizationId: number,
  event: { readonly eventType: string; readonly data: Record<string, unknown> },
): Promise<void> {
  const row = newEvent(cipher, { organizationId }, event, JSON.stringify(event.data));
  await insertNew(database.sql(em), [row]);
  await insertDeliveries(em, { organizationId, events: [row] });
  deliverySignal.notify();
}
