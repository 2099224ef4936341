import { createHash, randomBytes } from 'node:crypto';
import { chown, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { NativePackage } from './binaries.js';
import { run } from './pgCtl.js';
import { chooseServerUser, findSystemFolder, firstUnreachable, type ServerUser } from './ServerUser.js';

/**
 * A PostgreSQL cluster: one folder, mode 700, owned by the server's user. It contains the data and the superuser's password, so
 * that one rename moves both.
 */
export interface Cluster {
  readonly home: string;
  /** PostgreSQL's own data directory. */
  readonly data: string;
  readonly passwordFile: string;
  /** The user that the server runs as; undefined for the current one. */
  readonly user: ServerUser | undefined;
}

function clusterAt(home: string, user: ServerUser | undefined): Cluster {
  return { home, data: join(home, 'data'), passwordFile: join(home, 'password'), user };
}

/** The file in a data folder that names the cluster's location, if that is not the data folder itself. */
const POINTER = 'postgres-location';

/** Finds the cluster of a data folder, wherever it is; undefined when there is none. */
export async function findCluster(dataDir: string): Promise<Cluster | undefined> {
  for (const home of [await readPointer(dataDir), join(dataDir, 'postgres')]) {
    const owner = home === undefined ? undefined : await stat(home).catch(() => undefined);
    if (home === undefined || !owner) continue;
    const ourselves = process.getuid?.();
    if (ourselves !== undefined && ourselves !== 0 && owner.uid !== ourselves) {
      throw new Error(
        `The database in ${home} belongs to user id ${owner.uid}, and this process runs as ${ourselves}. ` +
          'Start it as that user or as root, or choose another DATA_DIR.',
      );
    }
    const cluster = clusterAt(home, await chooseServerUser(owner));
    if (!(await stat(join(cluster.data, 'PG_VERSION')).catch(() => undefined))) continue;
    const blocked = await firstUnreachable(home, cluster.user);
    if (blocked === undefined) return cluster;
    throw new Error(
      `The database in ${home} belongs to the user ${cluster.user?.name}, who may no longer pass through ${blocked}. ` +
        `Allow that (chmod o+x ${blocked}), or choose another DATA_DIR.`,
    );
  }
  return undefined;
}

async function readPointer(dataDir: string): Promise<string | undefined> {
  const lines = (await readFile(join(dataDir, POINTER), 'utf8').catch(() => '')).split('\n');
  return lines.find((line) => line.trim() !== '' && !line.startsWith('#'))?.trim();
}

/** Refuses data of another major version, which PostgreSQL cannot read. */
export async function checkVersion({ home, data }: Cluster, { major }: NativePackage): Promise<void> {
  const found = (await readFile(join(data, 'PG_VERSION'), 'utf8')).trim();
  if (found === major) return;
  throw new Error(
    `The database in ${home} was made by PostgreSQL ${found}, and the built-in one is ${major}, which cannot read it. ` +
      `Copy it over with PostgreSQL ${found}'s pg_dump, or serve it with PostgreSQL ${found} and set DATABASE_URL, ` +
      `or move ${home} away to start with an empty database.`,
  );
}

interface Placing {
  readonly dataDir: string;
  readonly systemFolders: readonly string[];
  readonly log: (line: string) => void;
}

/**
 * Chooses the location of a data folder's new cluster: the data folder, or, if the server's user cannot reach it, a system folder
 * to which the data folder then points.
 */
export async function placeCluster({ dataDir, systemFolders, log }: Placing): Promise<Cluster> {
  const user = await chooseServerUser();
  const lost = await readPointer(dataDir);
  if (lost !== undefined) log(`There is no database at ${lost}, where ${join(dataDir, POINTER)} says; making a new one.`);
  const blocked = await firstUnreachable(dataDir, user);
  if (blocked === undefined) return clusterAt(join(dataDir, 'postgres'), user);

  const base = await findSystemFolder(systemFolders, user);
  const home = join(base, createHash('sha256').update(dataDir).digest('hex').slice(0, 24));
  // A cluster without a pointer belonged to a data folder that was deleted.
  if (await stat(home).catch(() => undefined)) {
    const aside = `${home}.until-${new Date().toISOString().replaceAll(/[^\dTZ]/g, '')}`;
    await rename(home, aside);
    log(`The database of an earlier, deleted data folder is kept in ${aside}.`);
  }
  const pointer = join(dataDir, POINTER);
  await writeFile(`${pointer}.new`, `${POINTER_TEXT}\n${home}\n`);
  await rename(`${pointer}.new`, pointer);
  log(`PostgreSQL runs as ${user?.name}, who may not pass through ${blocked}: the database is kept in ${home}.`);
  if ([tmpdir(), '/tmp', '/var/tmp'].some((folder) => base.startsWith(`${folder}/`)))
    log(`${base} may be emptied at any time, and the database with it.`);
  return clusterAt(home, user);
}

const POINTER_TEXT = `# The database is not in this folder but in the one named below: PostgreSQL does not run as root,
# and the user that it runs as cannot get here. Back up that folder together with this one.
# Deleting this file makes the next start begin with an empty database.`;

/**
 * Creates a cluster beside its location and then renames it, so that an interrupted initdb leaves none.
 * @param durable whether to flush the new files to disk first.
 */
export async function initializeCluster(cluster: Cluster, initdb: string, durable: boolean): Promise<void> {
  const { home, user } = cluster;
  // The rename replaces an empty folder.
  const found = await readdir(home).catch((error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? [] : [home]));
  if (found.length > 0) throw new Error(`${home} exists but holds no database. Move it away, or choose another DATA_DIR.`);
  const prefix = `${home}.making-`;
  for (const name of await readdir(dirname(prefix))) {
    if (name.startsWith(basename(prefix)))
      await rm(join(dirname(prefix), name), { recursive: true, force: true }).catch(() => {});
  }
  const making = clusterAt(await mkdtemp(prefix), user);
  try {
    await writeFile(making.passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600, flush: durable });
    if (user) await handOver(making, user);
    await run(initdb, initdbArguments(making, durable), user).catch((error: Error) => {
      const hint = error.message.includes('effective user ID') ? ' PostgreSQL wants its user listed in /etc/passwd.' : '';
      throw new Error(`initdb could not make a database in ${home}: ${error.message}${hint} Or set DATABASE_URL.`);
    });
    await rename(making.home, home);
  } catch (error) {
    await rm(making.home, { recursive: true, force: true });
    throw error;
  }
}

async function handOver({ home, passwordFile }: Cluster, { name, uid, gid }: ServerUser): Promise<void> {
  try {
    await chown(passwordFile, uid, gid);
    await chown(home, uid, gid);
  } catch (error) {
    // Root may lack this permission in a user namespace or on a network drive.
    throw new Error(
      `The built-in PostgreSQL cannot run as root, and ${home} cannot be given to the user ${name} ` +
        `(${(error as NodeJS.ErrnoException).code}). Start as an ordinary user, or set DATABASE_URL.`,
    );
  }
}

function initdbArguments({ data, passwordFile }: Cluster, durable: boolean): string[] {
  return [
    '--username=postgres',
    `--pgdata=${data}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // PostgreSQL's own C.UTF-8 sorts and folds the same on every system, whatever locales are installed.
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    '--no-instructions',
    ...(durable ? [] : ['--no-sync']),
  ];
}
