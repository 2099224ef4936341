import type pg from 'pg';
import type { ConnectionType, KlaviyoConfiguration, WebhookConfiguration } from '../../domain/Connection.js';
import type { DestinationConnection } from '../DeliveryJob.js';

const MAX_CONNECTIONS = 5_000;

const LOAD = `
  select id, xmin::text as version, organization_id, type, configuration, auth_config, signing_secret,
    previous_signing_secret, previous_signing_secret_expires_at, max_concurrency is not null as capped
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
  capped: boolean;
}

/**
 * Connections as destinations see them, read again only when their row was changed. Bounded: the least recently used go
 * first, but none that something is held of.
 */
export class ConnectionCache {
  /** In the order of their last use. */
  readonly #connections = new Map<number, DestinationConnection>();
  readonly #capped = new Set<number>();

  constructor(
    private readonly pool: pg.Pool,
    private readonly max = MAX_CONNECTIONS,
  ) {}

  get(id: number): DestinationConnection | undefined {
    return this.#connections.get(id);
  }

  /** Whether the connection has a `maxConcurrency`: then every result makes room for the next. */
  isCapped(id: number): boolean {
    return this.#capped.has(id);
  }

  /**
   * Reads those that are not known in the version in which they were claimed.
   * @param isHeld whether something of a connection waits here, so that it must stay.
   */
  async load(wanted: ReadonlyMap<number, string>, isHeld: (id: number) => boolean): Promise<void> {
    const missing: number[] = [];
    for (const [id, version] of wanted) {
      const known = this.#connections.get(id);
      this.#connections.delete(id);
      if (known?.version === version) this.#connections.set(id, known);
      else missing.push(id);
    }
    if (missing.length > 0) {
      const { rows } = await this.pool.query<Row>({ name: 'load-connections', text: LOAD, values: [missing] });
      for (const row of rows) {
        this.#connections.set(Number(row.id), toConnection(row));
        if (row.capped) this.#capped.add(Number(row.id));
        else this.#capped.delete(Number(row.id));
      }
    }
    if (this.#connections.size <= this.max) return;
    for (const id of this.#connections.keys()) {
      if (this.#connections.size <= this.max) break;
      if (wanted.has(id) || isHeld(id)) continue;
      this.#connections.delete(id);
      this.#capped.delete(id);
    }
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
