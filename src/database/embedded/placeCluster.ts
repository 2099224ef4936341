import { createHash } from 'node:crypto';
import { rename, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, clusterAt } from './Cluster.js';
import { chooseServerUser } from './chooseServerUser.js';
import { POINTER, readPointer } from './findCluster.js';
import { findOrphan } from './findOrphan.js';
import { findSystemFolder } from './findSystemFolder.js';
import { firstUnreachable } from './firstUnreachable.js';
import { stopServer } from './stopServer.js';

interface Placing {
  readonly dataDir: string;
  readonly systemFolders: readonly string[];
  readonly log: (line: string) => void;
}

const TEMPORARY = [tmpdir(), '/tmp', '/var/tmp'];

/**
 * Decides where the new cluster of a data folder shall be: in it, or, when the server's user could not get there, in a
 * system folder that the data folder then points to. To be called by the owner of the data folder only.
 */
export async function placeCluster({ dataDir, systemFolders, log }: Placing): Promise<Cluster> {
  const user = await chooseServerUser();
  const lost = await readPointer(dataDir);
  if (lost !== undefined) log(`There is no database at ${lost}, where ${join(dataDir, POINTER)} says; making a new one.`);
  const blocked = await firstUnreachable(dataDir, user);
  if (blocked === undefined) return clusterAt(join(dataDir, 'postgres'), user);

  const base = await findSystemFolder(systemFolders, user);
  const home = join(base, createHash('sha256').update(dataDir).digest('hex').slice(0, 24));
  await setAside(clusterAt(home, user), log);
  await writePointer(dataDir, home);
  log(`PostgreSQL runs as ${user?.name}, who may not pass through ${blocked}: the database is kept in ${home}.`);
  if (TEMPORARY.some((folder) => base.startsWith(`${folder}/`)))
    log(`${base} may be emptied at any time, and the database with it.`);
  return clusterAt(home, user);
}

/** The pointer lives with the data folder. A cluster without one was that of a folder that has been deleted. */
async function setAside(cluster: Cluster, log: (line: string) => void): Promise<void> {
  if (!(await stat(cluster.home).catch(() => undefined))) return;
  const orphan = await findOrphan(cluster);
  if (orphan) await stopServer({ cluster, pid: orphan.pid, log });
  const aside = `${cluster.home}.until-${new Date().toISOString().replaceAll(/[^\dTZ]/g, '')}`;
  await rename(cluster.home, aside);
  log(`The database of an earlier, deleted data folder is kept in ${aside}.`);
}

async function writePointer(dataDir: string, home: string): Promise<void> {
  const text = [
    '# The database is not in this folder but in the one named below: PostgreSQL does not run as root,',
    '# and the user that it runs as cannot get here. Back up that folder together with this one.',
    '# Deleting this file makes the next start begin with an empty database.',
    home,
    '',
  ];
  const file = join(dataDir, POINTER);
  await writeFile(`${file}.new`, text.join('\n'));
  await rename(`${file}.new`, file);
}
