import { mkdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { lock } from 'proper-lockfile';
import { type Binaries, findNativePackage, prepareBinaries } from './binaries.js';
import { type Cluster, checkVersion, findCluster, initializeCluster, placeCluster } from './Cluster.js';
import { findFreePort } from './findFreePort.js';
import { findPostmaster, freePostmasterFile, logTail, type Postmaster, startServer, stopServer } from './pgCtl.js';
import { defaultSystemFolders } from './ServerUser.js';

/** The database that a cluster of ours is for. */
const DATABASE = 'switchboard';

/** A running server, as its users see it. */
export interface EmbeddedPostgres {
  /** Of the database `switchboard`, as a superuser who may create others beside it. */
  readonly url: string;
  /** Whether the server was running already: left behind by a killed process, or shared with a living one. */
  readonly adopted: boolean;
  /** Stops the server, unless another process uses it: the last one stops it. May be called again. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** Made when missing. Its database is in it, or, where PostgreSQL's user cannot get to it, in the place it points to. */
  readonly dataDir: string;
  /** Further arguments for `postgres`, such as `['-c', 'fsync=off']`. */
  readonly flags?: readonly string[];
  readonly log?: (line: string) => void;
  /** Where to put what PostgreSQL's user could not reach in place; the first usable one is taken. */
  readonly systemFolders?: readonly string[];
}

type Settings = Required<EmbeddedPostgresOptions>;

/**
 * The PostgreSQL from npm, for running without DATABASE_URL and for tests: one server per data folder, on a free port of
 * 127.0.0.1. The first process to ask for it starts it, others share it, and the last one to leave stops it; one that a
 * killed process left running is taken over. Errors are single lines, for people.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  await mkdir(options.dataDir, { recursive: true });
  const dataDir = await realpath(options.dataDir);
  const { flags = [], log = () => {}, systemFolders = defaultSystemFolders() } = options;
  const settings = { dataDir, flags, log, systemFolders };
  const release = await takeTurn(dataDir);
  try {
    const { cluster, binaries } = await prepare(settings);
    const password = (await readFile(cluster.passwordFile, 'utf8')).trim();
    const use = new ServerUse(settings, cluster, binaries, password);
    await use.begin();
    return { url: use.url, adopted: use.adopted, stop: () => use.stop() };
  } finally {
    await release();
  }
}

/** A process that died while it started leaves its turn behind; it counts for so many ms. */
const TURN_STALE_AFTER = 10_000;
/** ms to wait for a turn: the start of another process may take that long after a crash. */
const TURN_LIMIT = 150_000;

/** One process at a time looks for, makes and starts the server of a data folder. */
async function takeTurn(dataDir: string): Promise<() => Promise<void>> {
  for (const deadline = Date.now() + TURN_LIMIT; ; await sleep(50)) {
    try {
      return await lock(dataDir, {
        lockfilePath: join(dataDir, 'postgres.lock'),
        stale: TURN_STALE_AFTER,
        // A process that was stopped for long has lost its turn; PostgreSQL itself still lets one server start only.
        onCompromised: () => {},
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED')
        throw new Error(`The data folder ${dataDir} cannot be used: ${(error as Error).message}`);
      if (Date.now() > deadline)
        throw new Error(`Another process has been starting the database in ${dataDir} for ${TURN_LIMIT / 1000} s.`);
    }
  }
}

async function prepare(settings: Settings): Promise<{ cluster: Cluster; binaries: Binaries }> {
  const native = findNativePackage();
  const existing = await findCluster(settings.dataDir);
  if (existing) await checkVersion(existing, native);
  const cluster = existing ?? (await placeCluster(settings));
  const binaries = await prepareBinaries(native, cluster.user, settings.systemFolders);
  if (!existing) await initializeCluster(cluster, binaries.initdb, !settings.flags.includes('fsync=off'));
  return { cluster, binaries };
}

/** Held shared by everybody who uses a server, and alone by whoever stops it. Any number will do. */
const IN_USE = 7_405_926;

/** With what the type definitions of pg leave out. */
type UsingConnection = pg.Client & { ref(): void; unref(): void };

/**
 * One use of a server: a connection that holds an advisory lock. So PostgreSQL counts its users, and forgets those that
 * were killed. The connection also tells when the server has ended.
 */
class ServerUse {
  adopted = false;
  #port = 0;
  #pid = 0;
  #connection: UsingConnection | undefined;
  #stopping: Promise<void> | undefined;

  readonly #settings: Settings;
  readonly #cluster: Cluster;
  readonly #binaries: Binaries;
  readonly #password: string;

  constructor(settings: Settings, cluster: Cluster, binaries: Binaries, password: string) {
    this.#settings = settings;
    this.#cluster = cluster;
    this.#binaries = binaries;
    this.#password = password;
  }

  get url(): string {
    return this.#urlOf(DATABASE);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#leave();
    return this.#stopping;
  }

  /** Joins the server that runs, or starts one; either may be over at any moment, and then it begins again. */
  async begin(): Promise<void> {
    const settings = this.#settings;
    const cluster = this.#cluster;
    for (let started = false; ; ) {
      const running = await findPostmaster(cluster.data);
      if (!running) {
        await freePostmasterFile(cluster.data);
        await startServer({
          ...{ pgCtl: this.#binaries.pgCtl, data: cluster.data, user: cluster.user, logFolder: settings.dataDir },
          args: async () => [...serverSettings(await findFreePort()), ...settings.flags],
        });
        started = true;
        continue;
      }
      const joined = await this.#join(running);
      this.adopted = !started;
      if (joined === 'first' && this.adopted)
        settings.log(`Adopted the PostgreSQL that an earlier process left running (process ${running.pid}).`);
      if (joined) return;
      await sleep(25);
    }
  }

  /** Whether others use it already; null when it is just starting or stopping. */
  async #join({ pid, port, ready }: Postmaster): Promise<'first' | 'shared' | null> {
    if (!ready || port === undefined) return null;
    this.#pid = pid;
    this.#port = port;
    // `ssl` is given so that a PGSSLMODE meant for some other server is not obeyed.
    const connection = new pg.Client({
      ...{ connectionString: this.#urlOf('postgres'), ssl: false, connectionTimeoutMillis: 5_000 },
    }) as UsingConnection;
    // A server that goes away is reported by the query that failed; unheard, the event would end the process.
    connection.on('error', () => {});
    try {
      await connection.connect();
      const { rows } = await connection.query<{ alone: boolean }>(`select pg_try_advisory_lock(${IN_USE}) as alone`);
      await connection.query(`select pg_advisory_lock_shared(${IN_USE})`);
      if (rows[0]?.alone) await connection.query(`select pg_advisory_unlock(${IN_USE})`);
      const { rowCount } = await connection.query('select 1 from pg_database where datname = $1', [DATABASE]);
      if (rowCount === 0) await connection.query(`create database ${DATABASE}`);
      this.#connection = connection;
      connection.once('end', () => void this.#lost());
      // It keeps nobody's process running.
      connection.unref();
      return rows[0]?.alone ? 'first' : 'shared';
    } catch (error) {
      await connection.end().catch(() => {});
      if ((error as { code?: string }).code !== '28P01') return null;
      throw new Error('The running built-in PostgreSQL refuses the password stored beside its data: was it changed?');
    }
  }

  /** The connection has ended: somebody ended it, or the server is gone, which nobody else would tell. */
  async #lost(): Promise<void> {
    this.#connection = undefined;
    for (;;) {
      if (this.#stopping) return;
      const running = await findPostmaster(this.#cluster.data);
      if (running?.pid !== this.#pid) break;
      if (await this.#join(running)) return;
      await sleep(200, undefined, { ref: false });
    }
    const tail = await logTail(join(this.#settings.dataDir, 'postgres.log'));
    this.#settings.log(`PostgreSQL (process ${this.#pid}) ended unexpectedly. Its log ends: ${tail}`);
  }

  async #leave(): Promise<void> {
    const connection = this.#connection;
    if (!connection) return;
    connection.ref();
    const { rows } = await connection
      .query<{ last: boolean }>(`select pg_advisory_unlock_shared(${IN_USE}), pg_try_advisory_lock(${IN_USE}) as last`)
      .catch(() => ({ rows: [] }));
    if (rows[0]?.last) await stopServer(this.#binaries.pgCtl, this.#cluster.data, this.#cluster.user);
    await connection.end().catch(() => {});
  }

  /** Passwords of ours need no escaping. */
  #urlOf(database: string): string {
    return `postgres://postgres:${this.#password}@127.0.0.1:${this.#port}/${database}`;
  }
}

function serverSettings(port: number): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    timezone: 'UTC',
    log_timezone: 'UTC',
    max_connections: 200,
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
