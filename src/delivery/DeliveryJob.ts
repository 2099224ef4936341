import type { Connection, ConnectionType, KlaviyoConfiguration, WebhookConfiguration } from '../domain/Connection.js';
import type { EventRow } from '../domain/Event.js';

/** One delivery that is to be attempted now. */
export interface DeliveryJob {
  /** The same in every attempt: `webhook-id`. */
  readonly deliveryId: string;
  /** 1 for the first attempt. */
  readonly attemptNumber: number;
  readonly event: EventToDeliver;
  readonly connection: DestinationConnection;
  /** The time by Postgres's clock, in ms since 1970, where a worker's own may be wrong. */
  readonly nowMs?: number | undefined;
  /** Milliseconds that the attempt may take where that is less than the destination's usual limit. */
  readonly timeoutMs?: number | undefined;
}

export interface EventToDeliver extends EventRow {
  /** A sample that somebody wants to see arrive. Such events are sent once, by `broadcastTestEvent`, and never retried. */
  readonly isTest: boolean;
  /** When it was published. */
  readonly createdAt: Date;
}

/**
 * A connection as a destination sees it. While its row does not change, an engine passes the same object again and
 * again, so what is derived from it (decrypted secrets, headers) may be kept in a WeakMap under it.
 */
export interface DestinationConnection {
  readonly id: number;
  readonly organizationId: number;
  readonly type: ConnectionType;
  readonly configuration: WebhookConfiguration | KlaviyoConfiguration;
  /** Encrypted (`columnIdentity.webhookAuthConfig`), or null. */
  readonly authConfig: string | null;
  /** Encrypted (`columnIdentity.signingSecret`); null until it is first needed. */
  readonly signingSecret: string | null;
  /** Encrypted like the current one; signs as well until it expires. */
  readonly previousSigningSecret: string | null;
  readonly previousSigningSecretExpiresAt: Date | null;
  /** Another value whenever the row was changed. */
  readonly version: string;
}

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
