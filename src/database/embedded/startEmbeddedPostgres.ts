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

/** The name of the database in the cluster. */
const DATABASE = 'switchboard';

/** A running server. */
export interface EmbeddedPostgres {
  /** URL of the database `switchboard`, as a superuser who may create other databases. */
  readonly url: string;
  /** True when the server was already running: left behind by a killed process, or shared with a living one. */
  readonly adopted: boolean;
  /** Stops the server if no other process uses it. May be called repeatedly. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** Created when missing. Contains the database, or, if PostgreSQL's user cannot reach it, a pointer to the database's place. */
  readonly dataDir: string;
  /** Additional arguments for `postgres`, such as `['-c', 'fsync=off']`. */
  readonly flags?: readonly string[];
  readonly log?: (line: string) => void;
  /** Folders for what PostgreSQL's user cannot reach in place. The first usable one is taken. */
  readonly systemFolders?: readonly string[];
}

type Settings = Required<EmbeddedPostgresOptions>;

/**
 * Starts the PostgreSQL from npm, for running without DATABASE_URL and for tests: one server for each data folder, on a free port
 * of 127.0.0.1. The first process starts it, others share it, and the last one stops it. A server that a killed process left
 * running is adopted. Error messages are one line of text.
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

/** Milliseconds after which the lock of a process that died during its start expires. */
const TURN_STALE_AFTER = 10_000;
/** Maximum milliseconds to wait for the lock. After a crash, the start of another process may take that long. */
const TURN_LIMIT = 150_000;

/** Takes the lock under which one process at a time finds, creates and starts the server of a data folder. */
async function takeTurn(dataDir: string): Promise<() => Promise<void>> {
  for (const deadline = Date.now() + TURN_LIMIT; ; await sleep(50)) {
    try {
      return await lock(dataDir, {
        lockfilePath: join(dataDir, 'postgres.lock'),
        stale: TURN_STALE_AFTER,
        // A process that was suspended for long has lost the lock. PostgreSQL itself still lets only one server start.
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

/**
 * Key of the advisory lock. Each user of the server holds it shared; a process that stops the server holds it alone. Any number
 * works.
 */
const IN_USE = 7_405_926;

/** Adds methods that the type definitions of pg lack. */
type UsingConnection = pg.Client & { ref(): void; unref(): void };

/**
 * One use of a server: a connection that holds an advisory lock. PostgreSQL thereby counts the server's users and forgets killed
 * ones. The connection also reports when the server has ended.
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

  /** Joins the running server, or starts one. Either may end at any moment; then it starts over. */
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

  /** Returns whether other processes use the server; null when it is starting or stopping. */
  async #join({ pid, port, ready }: Postmaster): Promise<'first' | 'shared' | null> {
    if (!ready || port === undefined) return null;
    this.#pid = pid;
    this.#port = port;
    // `ssl` is set so that a PGSSLMODE for another server is ignored.
    const connection = new pg.Client({
      ...{ connectionString: this.#urlOf('postgres'), ssl: false, connectionTimeoutMillis: 5_000 },
    }) as UsingConnection;
    // The failed query reports a lost server. Without a listener, the event would end the process.
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
      // The connection must not keep the process running.
      connection.unref();
      return rows[0]?.alone ? 'first' : 'shared';
    } catch (error) {
      await connection.end().catch(() => {});
      if ((error as { code?: string }).code !== '28P01') return null;
      throw new Error('The running built-in PostgreSQL refuses the password stored beside its data: was it changed?');
    }
  }

  /** Called when the connection has ended. Either it was closed on purpose, or the server is gone, which nothing else reports. */
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

  /** Our own passwords need no escaping. */
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
