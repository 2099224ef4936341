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
  readonly type: string;
  /** What its type stores that is no secret. */
  readonly configuration: object;
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

/** What a statement on `connections` selects in order to read one; the version is that of the row. */
export const DESTINATION_CONNECTION = `id, organization_id as "organizationId", type, configuration, auth_config as "authConfig",
  signing_secret as "signingSecret", previous_signing_secret as "previousSigningSecret",
  previous_signing_secret_expires_at as "previousSigningSecretExpiresAt", xmin::text as version`;

/** A row of that selection: whole numbers of 64 bits come as text. */
export type DestinationConnectionRow = Omit<DestinationConnection, 'id' | 'organizationId'> & {
  readonly id: string;
  readonly organizationId: string;
};

export function toDestinationConnection(row: DestinationConnectionRow): DestinationConnection {
  return { ...row, id: Number(row.id), organizationId: Number(row.organizationId) };
}
