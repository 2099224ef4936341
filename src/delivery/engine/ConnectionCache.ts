import type pg from 'pg';
import type { ConnectionType, KlaviyoConfiguration, WebhookConfiguration } from '../../domain/Connection.js';
import type { DestinationConnection } from '../DeliveryJob.js';

const MAX_CONNECTIONS = 5_000;

const LOAD = `
  select id, xmin::text as version, organization_id, type, configuration, auth_config, signing_secret,
    previous_signing_secret, previous_signing_secret_expires_at
  from connections where id = any($1::bigint[])`;

interface Row {
  id: string;
  version: string;
  organization_id: string;
  type: ConnectionType;
  configuration: WebhookConfiguration | KlaviyoConfiguration;
  auth_config: string | null;
  signing_secret: string | null;
  previous_signing_secret: string | null;
  previous_signing_secret_expires_at: Date | null;
}

/** Connections as destinations see them, read again only when their row was changed. Bounded. */
export class ConnectionCache {
  readonly #connections = new Map<number, DestinationConnection>();

  constructor(private readonly pool: pg.Pool) {}

  get(id: number): DestinationConnection | undefined {
    return this.#connections.get(id);
  }

  /** Reads those that are not known in the version in which they were claimed. */
  async load(wanted: ReadonlyMap<number, string>): Promise<void> {
    const missing = [...wanted].filter(([id, version]) => this.#connections.get(id)?.version !== version).map(([id]) => id);
    if (missing.length === 0) return;
    const { rows } = await this.pool.query<Row>({ name: 'load-connections', text: LOAD, values: [missing] });
    if (this.#connections.size + rows.length > MAX_CONNECTIONS) this.#connections.clear();
    // One that was deleted meanwhile must not be delivered to as it was.
    for (const id of missing) this.#connections.delete(id);
    for (const row of rows) this.#connections.set(Number(row.id), toConnection(row));
  }
}

function toConnection(row: Row): DestinationConnection {
  return {
    id: Number(row.id),
    organizationId: Number(row.organization_id),
    type: row.type,
    configuration: row.configuration,
    authConfig: row.auth_config,
    signingSecret: row.signing_secret,
    previousSigningSecret: row.previous_signing_secret,
    previousSigningSecretExpiresAt: row.previous_signing_secret_expires_at,
    version: row.version,
  };
}
