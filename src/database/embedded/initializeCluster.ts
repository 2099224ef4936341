import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Cluster, clusterAt } from './Cluster.js';
import { serverSpawnOptions } from './serverSpawnOptions.js';

interface Initialization {
  readonly cluster: Cluster;
  readonly initdb: string;
  /** Whether to flush the new files to disk before they count. */
  readonly durable: boolean;
}

/** Makes a new cluster next to where it belongs and then renames it, so that an interrupted initdb leaves none. */
export async function initializeCluster({ cluster, initdb, durable }: Initialization): Promise<void> {
  await checkIsFree(cluster.home);
  const prefix = `${cluster.home}.making-`;
  await removeLeftovers(prefix);
  const making = clusterAt(await mkdtemp(prefix), cluster.user);
  try {
    await writeFile(making.passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600, flush: durable });
    await handOver(making);
    await runInitdb(initdb, making, durable ? [] : ['--no-sync']);
    await rename(making.home, cluster.home);
  } catch (error) {
    await rm(making.home, { recursive: true, force: true });
    throw error;
  }
}

async function handOver({ home, passwordFile, user }: Cluster): Promise<void> {
  if (!user) return;
  try {
    await chown(passwordFile, user.uid, user.gid);
    await chown(home, user.uid, user.gid);
  } catch (error) {
    // Not every root may: one of a user namespace or on a network drive may not.
    throw new Error(
      `The built-in PostgreSQL cannot run as root, and ${home} cannot be given to the user ${user.name} ` +
        `(${(error as NodeJS.ErrnoException).code}). Start as an ordinary user, or set DATABASE_URL.`,
    );
  }
}

/** An empty folder may be there: the rename replaces it. */
async function checkIsFree(home: string): Promise<void> {
  const found = await readdir(home).catch((error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? [] : [home]));
  if (found.length > 0) throw new Error(`${home} exists but holds no database. Move it away, or choose another DATA_DIR.`);
}

async function removeLeftovers(prefix: string): Promise<void> {
  for (const name of await readdir(dirname(prefix))) {
    if (!name.startsWith(basename(prefix))) continue;
    // Its initdb may still be writing: then a later start removes the rest.
    await rm(join(dirname(prefix), name), { recursive: true, force: true }).catch(() => {});
  }
}

async function runInitdb(initdb: string, cluster: Cluster, flags: readonly string[]): Promise<void> {
  const output: string[] = [];
  const args = [
    '--username=postgres',
    `--pgdata=${cluster.data}`,
    `--pwfile=${cluster.passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // PostgreSQL's own C.UTF-8 sorts and folds the same on every system, whatever locales that has.
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    '--no-instructions',
    ...flags,
  ];
  const outcome = await new Promise<string>((resolve) => {
    const child = spawn(initdb, args, { ...serverSpawnOptions(cluster.user), stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout?.on('data', (chunk: Buffer) => output.push(chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => output.push(chunk.toString()));
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? '' : `it ended with ${signal ?? `code ${code}`}`));
  });
  if (outcome === '') return;
  const text = output.join('').trim().split('\n').slice(-5).join(' | ');
  const hint = text.includes('could not look up effective user ID') ? ' PostgreSQL wants its user listed in /etc/passwd.' : '';
  throw new Error(`initdb could not make a database in ${cluster.home}: ${outcome}. ${text}${hint} Or set DATABASE_URL.`);
}
