import type { EventRow } from '../domain/Event.js';

/** One delivery that a destination attempts now. */
export interface DeliveryJob {
  /** Identical in every attempt; sent as `webhook-id`. */
  readonly deliveryId: string;
  /** 1 for the first attempt. */
  readonly attemptNumber: number;
  readonly event: EventToDeliver;
  readonly connection: DestinationConnection;
  /** The current time by Postgres's clock, in ms since 1970. The worker's own clock may be wrong. */
  readonly nowMs?: number | undefined;
  /** Milliseconds that the attempt may take, if fewer than the destination's usual limit. */
  readonly timeoutMs?: number | undefined;
}

export interface EventToDeliver extends EventRow {
  /** True for the sample event of a test broadcast. `broadcastTestEvent` sends it once and never retries it. */
  readonly isTest: boolean;
  /** When the event was published. */
  readonly createdAt: Date;
}

/**
 * A connection as a destination sees it. The engine passes the same object again until the connection's row changes, so a
 * destination may keep derived values (decrypted secrets, headers) in a WeakMap with this object as the key.
 */
export interface DestinationConnection {
  readonly id: number;
  readonly organizationId: number;
  readonly type: string;
  /** The type's configuration without its secrets. */
  readonly configuration: object;
  /** Encrypted (`columnIdentity.authConfig`), or null. */
  readonly authConfig: string | null;
  /** Encrypted (`columnIdentity.signingSecret`). Null until a delivery first needs it. */
  readonly signingSecret: string | null;
  /** Encrypted like the current one. Also signs until `previousSigningSecretExpiresAt`. */
  readonly previousSigningSecret: string | null;
  readonly previousSigningSecretExpiresAt: Date | null;
  /** Changes whenever the row changes. */
  readonly version: string;
}

/** The columns that a statement on `connections` selects to read a `DestinationConnectionRow`. `xmin` is the row's version. */
export const DESTINATION_CONNECTION = `id, organization_id as "organizationId", type, configuration, auth_config as "authConfig",
  signing_secret as "signingSecret", previous_signing_secret as "previousSigningSecret",
  previous_signing_secret_expires_at as "previousSigningSecretExpiresAt", xmin::text as version`;

/** A row of that selection. The driver returns 64-bit integers as text. */
export type DestinationConnectionRow = Omit<DestinationConnection, 'id' | 'organizationId'> & {
  readonly id: string;
  readonly organizationId: string;
};

export function toDestinationConnection(row: DestinationConnectionRow): DestinationConnection {
  return { ...row, id: Number(row.id), organizationId: Number(row.organizationId) };
}
