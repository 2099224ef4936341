import type { Connection } from '../../domain/Connection.js';
import type { DestinationConnection } from '../DeliveryJob.js';

/** A connection entity as destinations see it. */
export function toDestinationConnection(connection: Connection): DestinationConnection {
  return {
    id: connection.id,
    organizationId: connection.organizationId,
    type: connection.type,
    configuration: connection.configuration,
    authConfig: connection.authConfig ?? null,
    signingSecret: connection.signingSecret ?? null,
    previousSigningSecret: connection.previousSigningSecret ?? null,
    previousSigningSecretExpiresAt: connection.previousSigningSecretExpiresAt ?? null,
    version: connection.updatedAt.toISOString(),
  };
}
