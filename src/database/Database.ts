import { setTimeout as sleep } from 'node:timers/promises';
import { Migrator } from '@mikro-orm/migrations';
import { type EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { CompiledQuery, type DatabaseConnection, type Kysely } from 'kysely';
import pg from 'pg';
import { migrations } from '../../migrations/index.js';
import { entities } from '../domain/entities.js';

export type { EntityManager };

interface DatabaseOptions {
  readonly url: string;
  /** Bypasses a pooler at `url`. Default: `url`. */
  readonly directUrl?: string | null;
  /** Maximum connections in this process's pool. */
  readonly poolSize?: number;
  /** Called with the SQLSTATE of every error from Postgres, on any of our connections. */
  readonly onErrorCode?: (code: string) => void;
}

const DEFAULT_POOL_SIZE = 10;

/** Milliseconds after which Postgres ends an idle transaction, because a forgotten one holds locks. */
const IDLE_IN_TRANSACTION_MS = 60_000;

/** Maximum milliseconds of a statement. No caller waits longer for the result. */
const STATEMENT_TIMEOUT_MS = 30_000;

/** Milliseconds that a closing pool waits for responses of Postgres. */
const CLOSE_PATIENCE_MS = 5_000;
const QUIET_POLL_MS = 5;
/** Milliseconds for the pool to end, and again after all connections were cut. */
const CUT_PATIENCE_MS = 1_000;

/** Gives access to Postgres: MikroORM for reading and writing entities, `sql` templates of its Kysely for sets and hot reads. */
export class Database {
  private constructor(
    readonly orm: MikroORM,
    readonly url: string,
    /** For everything that needs a session of its own, which a pooler does not provide: LISTEN, locks, prepared statements. */
    readonly directUrl: string,
    private readonly onErrorCode: (code: string) => void,
    private readonly pool: OpenPool,
  ) {}

  static async open({
    url,
    directUrl,
    poolSize = DEFAULT_POOL_SIZE,
    onErrorCode = () => {},
  }: DatabaseOptions): Promise<Database> {
    const pool = new OpenPool();
    const orm = await MikroORM.init({
      clientUrl: url,
      entities: [...entities],
      extensions: [Migrator],
      migrations: { migrationsList: [...migrations], tableName: 'migrations', snapshot: false, silent: true },
      pool: { min: 0, max: poolSize },
      // MikroORM reads only host, user and database from the URL, and returns times as text. The driver itself reads the whole
      // URL, including TLS, and parses times, so that SQL returns what our types declare.
      driverOptions: {
        ...connectionOptions(url, 'switchboard'),
        types: new pg.TypeOverrides(),
        onPoolCreated(created: pg.Pool) {
          pool.watch(created);
          created.on('connect', (client) => hearErrors(client, onErrorCode));
          created.on('acquire', returnWhenBroken);
        },
      },
      onCreateConnection: async (connection) => {
        await (connection as DatabaseConnection).executeQuery(
          CompiledQuery.raw(`select set_config('statement_timeout', '${STATEMENT_TIMEOUT_MS}', false),
          set_config('idle_in_transaction_session_timeout', '${IDLE_IN_TRANSACTION_MS}', false)`),
        );
      },
      forceUtcTimezone: true,
    });
    return new Database(orm, url, directUrl ?? url, onErrorCode, pool);
  }

  /** Opens the same database with a pool of its own. The caller closes it. */
  another(poolSize: number): Promise<Database> {
    const { url, directUrl, onErrorCode } = this;
    return Database.open({ url, directUrl, poolSize, onErrorCode });
  }

  /** Returns a session of its own that bypasses any pooler, not yet connected. The caller ends it. */
  session(name: string): pg.Client {
    return new pg.Client(connectionOptions(this.directUrl, name));
  }

  /** Call it with each connection of another pool, so that its errors are reported too. */
  watch(client: pg.ClientBase): void {
    hearErrors(client, this.onErrorCode);
  }

  /** Returns a new unit of work. Its identity map is never shared between two calls. */
  em(): EntityManager {
    return this.orm.em.fork() as EntityManager;
  }

  /** Returns a Kysely for `sql` templates that bypass entities. Given a unit of work, it runs inside its transaction. */
  sql(em: EntityManager = this.em()): Kysely<unknown> {
    return em.getKysely<unknown>();
  }

  /** Runs `work` in one transaction: commits when it returns, rolls back when it throws. */
  transaction<T>(work: (em: EntityManager) => Promise<T>): Promise<T> {
    return this.em().transactional((em) => work(em as EntityManager));
  }

  /**
   * Closes the pool. Statements in flight have 5 s to finish; then their connections are cut. No further statements are accepted.
   */
  async close(): Promise<void> {
    await this.pool.quiet(CLOSE_PATIENCE_MS);
    const closed = this.orm.close(true);
    if (await endsWithin(CUT_PATIENCE_MS, closed)) return;
    this.pool.cut();
    await endsWithin(CUT_PATIENCE_MS, closed);
  }
}

/** The pool behind MikroORM, with what closing needs to know about it. */
class OpenPool {
  #pool: pg.Pool | undefined;
  #closing = false;
  readonly #clients = new Set<pg.PoolClient>();

  /** Call it with each pool that MikroORM makes. After closing, MikroORM makes another one, which would never be closed. */
  watch(pool: pg.Pool): void {
    // A pool that has ended refuses every request for a connection.
    if (this.#closing) return void pool.end();
    this.#pool = pool;
    pool.on('connect', (client) => this.#clients.add(client));
    pool.on('remove', (client) => this.#clients.delete(client));
  }

  /**
   * Resolves when no connection is in use or being opened, or after `timeoutMs` milliseconds. Kysely drops its pool before it
   * ends it: a connection that is being opened at that moment is never returned, and the pool never ends.
   */
  async quiet(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (this.#busy() && performance.now() < deadline) await sleep(QUIET_POLL_MS);
    this.#closing = true;
  }

  /** Closes every connection, even with a statement in flight. */
  cut(): void {
    for (const client of this.#clients) (client as pg.PoolClient & pg.Client).end().catch(() => {});
  }

  #busy(): boolean {
    const pool = this.#pool;
    return pool !== undefined && (pool.totalCount > pool.idleCount || pool.waitingCount > 0);
  }
}

/** Returns whether the work ended within `ms` milliseconds. Rejects when it failed within them. */
async function endsWithin(ms: number, work: Promise<void>): Promise<boolean> {
  const enough = new AbortController();
  const late = sleep(ms, false, { signal: enough.signal }).catch(() => false);
  return Promise.race([work.then(() => true), late]).finally(() => enough.abort());
}

/**
 * Returns a broken connection to the pool. Kysely returns a connection only when its `begin` and its `rollback` have succeeded,
 * so each transaction during a restart of Postgres would otherwise cost the pool a connection forever.
 */
function returnWhenBroken(client: pg.PoolClient): void {
  // The pool sets `release` right after it has emitted the event.
  queueMicrotask(() => {
    const release = client.release.bind(client);
    const returnBroken = (): void => client.release(true);
    client.once('end', returnBroken);
    client.release = (error) => {
      client.removeListener('end', returnBroken);
      client.release = () => {};
      release(error);
    };
  });
}

/**
 * Calls back with the code of every error. The driver reports an error only to the sender of the statement, but its protocol
 * layer emits it to all listeners.
 */
function hearErrors(client: pg.ClientBase, onErrorCode: (code: string) => void): void {
  const { connection } = client as unknown as { connection: NodeJS.EventEmitter };
  connection.on('errorMessage', ({ code }: { code?: string }) => {
    if (code) onErrorCode(code);
  });
}

/**
 * Returns the options of all our connections to Postgres, pooled or not. The driver reads the whole URL: host, user, database,
 * and parameters such as `sslmode` and `sslrootcert` (libpq's names). A peer that disappears silently is detected in seconds
 * instead of hours.
 */
export function connectionOptions(url: string, name: string) {
  return {
    connectionString: url,
    application_name: name,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: 10_000,
  } as const satisfies pg.ClientConfig;
}
