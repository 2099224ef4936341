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
 * Caches connections as destinations see them, and reads one again only when its row changes. The cache has a maximum size: it
 * drops the least recently used connections first, but none with deliveries that this process holds.
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

  /** Returns whether the connection has a `maxConcurrency`. If so, every result makes room for its next delivery. */
  isCapped(id: number): boolean {
    return this.#capped.has(id);
  }

  /**
   * Reads the connections that are not cached in the version in which they were claimed.
   * @param isHeld returns whether this process holds deliveries of a connection, which then must stay cached.
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
