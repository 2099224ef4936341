import type pg from 'pg';
import {
  DESTINATION_CONNECTION,
  type DestinationConnection,
  type DestinationConnectionRow,
  toDestinationConnection,
} from '../DeliveryJob.js';

const MAX_CONNECTIONS = 5_000;

const LOAD = `
  select ${DESTINATION_CONNECTION}, max_concurrency is not null as capped from connections where id = any($1::bigint[])`;

type Row = DestinationConnectionRow & { readonly capped: boolean };

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
      for (const { capped, ...row } of rows) {
        const connection = toDestinationConnection(row);
        this.#connections.set(connection.id, connection);
        if (capped) this.#capped.add(connection.id);
        else this.#capped.delete(connection.id);
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
