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
  /** Past a pooler that may stand at `url`; the same when not given. */
  readonly directUrl?: string | null;
  /** Connections in this process's pool. */
  readonly poolSize?: number;
  /** Is told the SQLSTATE of every error that Postgres answers, on whatever connection of ours. */
  readonly onErrorCode?: (code: string) => void;
}

const DEFAULT_POOL_SIZE = 10;

/** A transaction that its process forgot holds locks: Postgres ends it after so many milliseconds. */
const IDLE_IN_TRANSACTION_MS = 60_000;

/** Milliseconds that a statement may take: for longer, nobody waits for its answer. */
const STATEMENT_TIMEOUT_MS = 30_000;

/** Milliseconds that a closing pool waits for answers of Postgres. */
const CLOSE_PATIENCE_MS = 5_000;
const QUIET_POLL_MS = 5;
/** Milliseconds for the pool to end, and again after all connections were cut. */
const CUT_PATIENCE_MS = 1_000;

/** Our one door to Postgres: MikroORM for writes and reads of entities, `sql` templates of its Kysely for sets and hot reads. */
export class Database {
  private constructor(
    readonly orm: MikroORM,
    readonly url: string,
    /** For whatever needs a session of its own, which a pooler would not give it: LISTEN, locks, prepared statements. */
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
      // MikroORM reads host, user and database from the URL, and nothing else of it, and hands times over as text. The driver
      // by itself heeds the whole URL, TLS included, and knows times: so what SQL returns is what our types say.
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

  /** The same database with a pool of its own. Whoever asks closes it. */
  another(poolSize: number): Promise<Database> {
    const { url, directUrl, onErrorCode } = this;
    return Database.open({ url, directUrl, poolSize, onErrorCode });
  }

  /** A session of its own, past any pooler, not yet connected. Whoever asks ends it. */
  session(name: string): pg.Client {
    return new pg.Client(connectionOptions(this.directUrl, name));
  }

  /** To be called with each connection of another pool, so that what goes wrong there is heard of, too. */
  watch(client: pg.ClientBase): void {
    hearErrors(client, this.onErrorCode);
  }

  /** A fresh unit of work: its identity map is never shared between two calls. */
  em(): EntityManager {
    return this.orm.em.fork() as EntityManager;
  }

  /** For `sql` templates past the entities; given a unit of work, inside its transaction. */
  sql(em: EntityManager = this.em()): Kysely<unknown> {
    return em.getKysely<unknown>();
  }

  /** Runs `work` in one transaction; commits when it returns, rolls back when it throws. */
  transaction<T>(work: (em: EntityManager) => Promise<T>): Promise<T> {
    return this.em().transactional((em) => work(em as EntityManager));
  }

  /** What was asked of Postgres is answered first; what is not within 5 s is cut off. Nothing can be asked afterwards. */
  async close(): Promise<void> {
    await this.pool.quiet(CLOSE_PATIENCE_MS);
    const closed = this.orm.close(true);
    if (await endsWithin(CUT_PATIENCE_MS, closed)) return;
    this.pool.cut();
    await endsWithin(CUT_PATIENCE_MS, closed);
  }
}

/** The pool behind MikroORM, as far as closing needs to know it. */
class OpenPool {
  #pool: pg.Pool | undefined;
  #closing = false;
  readonly #clients = new Set<pg.PoolClient>();

  /** To be called with the pool once MikroORM has made it. After closing it makes another one, which nobody closes. */
  watch(pool: pg.Pool): void {
    // Ended at once, every request for a connection is refused.
    if (this.#closing) return void pool.end();
    this.#pool = pool;
    pool.on('connect', (client) => this.#clients.add(client));
    pool.on('remove', (client) => this.#clients.delete(client));
  }

  /**
   * Resolves when no connection is in use or being made, or after so many milliseconds. Kysely forgets its pool before it
   * ends it: a connection that is being made just then is never given back, and the pool never ends.
   */
  async quiet(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (this.#busy() && performance.now() < deadline) await sleep(QUIET_POLL_MS);
    this.#closing = true;
  }

  /** Ends every connection, whatever it is at. */
  cut(): void {
    for (const client of this.#clients) (client as pg.PoolClient & pg.Client).end().catch(() => {});
  }

  #busy(): boolean {
    const pool = this.#pool;
    return pool !== undefined && (pool.totalCount > pool.idleCount || pool.waitingCount > 0);
  }
}

/** Whether the work ended in so many milliseconds; rejects when it failed in them. */
async function endsWithin(ms: number, work: Promise<void>): Promise<boolean> {
  const enough = new AbortController();
  const late = sleep(ms, false, { signal: enough.signal }).catch(() => false);
  return Promise.race([work.then(() => true), late]).finally(() => enough.abort());
}

/**
 * Kysely gives a connection back to the pool only when its `begin` and its `rollback` have worked, so that each transaction
 * that a restart of Postgres meets would cost the pool a connection for ever. One that is gone goes back by itself.
 */
function returnWhenBroken(client: pg.PoolClient): void {
  // The pool sets `release` right after it has told of the acquisition.
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

/** The driver tells of an error only who sent the statement; its protocol layer tells everybody. */
function hearErrors(client: pg.ClientBase, onErrorCode: (code: string) => void): void {
  const { connection } = client as unknown as { connection: NodeJS.EventEmitter };
  connection.on('errorMessage', ({ code }: { code?: string }) => {
    if (code) onErrorCode(code);
  });
}

/**
 * How every connection of ours to Postgres is made, in a pool or alone. The driver reads the whole URL: host, user,
 * database, and its parameters such as `sslmode` and `sslrootcert` (libpq's names). A peer that is gone without a word is
 * found out in seconds, not in hours.
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
