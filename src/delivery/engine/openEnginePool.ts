import pg from 'pg';
import type { Logger } from '../../domain/Logger.js';

/**
 * The engine's own connections: its statements are prepared, and never wait behind anybody else's.
 *
 * Every statement of the engine walks indexes. A plan that was made while a table was small must not scan it when it has
 * grown, so sequential scans, hash and merge joins are off here; and so is compiling, which costs more than it saves.
 */
const SETTINGS = [
  'set enable_seqscan = off',
  'set enable_bitmapscan = off',
  'set enable_hashjoin = off',
  'set enable_mergejoin = off',
  'set jit = off',
  'set plan_cache_mode = force_generic_plan',
  // Nobody who forgot to commit may hold the engine up: it goes on without the row, and comes back to it.
  "set lock_timeout = '500ms'",
  "set statement_timeout = '30s'",
  "set idle_in_transaction_session_timeout = '10s'",
  // The engine says for itself what it leaves waiting (migration 0007).
  "set switchboard.engine = 'on'",
];

interface EnginePoolOptions {
  readonly url: string;
  readonly max: number;
  readonly name: string;
  /** For what may be lost in a crash of Postgres without harm, such as a claim: its rows are simply due again. */
  readonly asynchronousCommit?: boolean;
  /** Is called with each new connection. */
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
    // A server that went away without a word must not hold the engine for ever.
    query_timeout: 60_000,
    idleTimeoutMillis: 60_000,
    // Awaited by the pool before anybody gets the connection, though its type does not say so.
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
 * A Postgres array literal (PostgreSQL manual, 8.15.2) of values that never need quoting: numbers, UUIDs, our own words.
 * The driver would examine and escape each of them, which shows at thousands of results a second.
 */
export function plainArray(values: readonly (number | string | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`;
}
