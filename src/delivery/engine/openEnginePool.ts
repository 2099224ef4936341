import pg from 'pg';
import type { Logger } from '../../domain/Logger.js';

/**
 * Settings of the engine's own database connections, on which its prepared statements never wait for other work.
 *
 * Every statement of the engine reads by index. A plan that was made while a table was small must not scan the table after it has
 * grown, so sequential scans, hash joins and merge joins are off. JIT is off too, because it costs more than it saves.
 */
const SETTINGS = [
  'set enable_seqscan = off',
  'set enable_bitmapscan = off',
  'set enable_hashjoin = off',
  'set enable_mergejoin = off',
  'set jit = off',
  'set plan_cache_mode = force_generic_plan',
  // A forgotten transaction must not block the engine: it continues without the locked row and tries it again later.
  "set lock_timeout = '500ms'",
  "set statement_timeout = '30s'",
  "set idle_in_transaction_session_timeout = '10s'",
  // The engine itself records which queues have waiting deliveries (migration 0007).
  "set switchboard.engine = 'on'",
];

interface EnginePoolOptions {
  readonly url: string;
  readonly max: number;
  readonly name: string;
  /** For work whose loss in a crash of Postgres is harmless, such as a claim: its rows are due again. */
  readonly asynchronousCommit?: boolean;
  /** Called with each new database connection. */
  readonly watch?: (client: pg.ClientBase) => void;
}

export function openEnginePool({ url, max, name, asynchronousCommit = false, watch }: EnginePoolOptions, log: Logger): pg.Pool {
  const settings = [...SETTINGS, ...(asynchronousCommit ? ['set synchronous_commit = off'] : [])].join(';');
  const pool = new pg.Pool({
    connectionString: url,
    max,
    application_name: name,
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
    // A server that disappears without closing the connection must not block the engine forever.
    query_timeout: 60_000,
    idleTimeoutMillis: 60_000,
    // The pool awaits this before it hands out the connection, although its type does not say so.
    onConnect: (client): Promise<unknown> => client.query(settings),
  });
  pool.on('connect', (client) => {
    watch?.(client);
    client.on('error', (error) => log.warn({ error: error.message }, 'A database connection of the delivery engine broke'));
  });
  pool.on('error', () => {});
  return pool;
}

/**
 * Formats a Postgres array literal (PostgreSQL manual, 8.15.2) of values that never need quoting: numbers, UUIDs, our own words.
 * The driver would examine and escape each value, which matters at thousands of results a second.
 */
export function plainArray(values: readonly (number | string | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`;
}
