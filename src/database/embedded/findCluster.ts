import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cluster, clusterAt } from './Cluster.js';
import { chooseServerUser } from './chooseServerUser.js';
import { firstUnreachable } from './firstUnreachable.js';

/** The file in a data folder that says where its cluster is, when that is not in the data folder itself. */
export const POINTER = 'postgres-location';

/** The cluster that a data folder already has, wherever it is; undefined when it has none yet. */
export async function findCluster(dataDir: string): Promise<Cluster | undefined> {
  for (const home of [await readPointer(dataDir), join(dataDir, 'postgres')]) {
    const cluster = home === undefined ? undefined : await openCluster(home);
    if (cluster) return cluster;
  }
  return undefined;
}

/** Where the pointer points, whether something is there or not. */
export async function readPointer(dataDir: string): Promise<string | undefined> {
  const lines = (await readFile(join(dataDir, POINTER), 'utf8').catch(() => '')).split('\n');
  return lines.find((line) => line.trim() !== '' && !line.startsWith('#'))?.trim();
}

async function openCluster(home: string): Promise<Cluster | undefined> {
  const owner = await stat(home).catch(() => undefined);
  if (!owner) return undefined;
  const ourselves = process.getuid?.();
  if (ourselves !== undefined && ourselves !== 0 && owner.uid !== ourselves) {
    throw new Error(
      `The database in ${home} belongs to user id ${owner.uid}, and this process runs as ${ourselves}. ` +
        'Start it as that user or as root, or choose another DATA_DIR.',
    );
  }
  const cluster = clusterAt(home, await chooseServerUser(owner));
  if (!(await stat(join(cluster.data, 'PG_VERSION')).catch(() => undefined))) return undefined;
  const blocked = await firstUnreachable(home, cluster.user);
  if (blocked !== undefined) {
    throw new Error(
      `The database in ${home} belongs to the user ${cluster.user?.name}, who may no longer pass through ${blocked}. ` +
        `Allow that (chmod o+x ${blocked}), or choose another DATA_DIR.`,
    );
  }
  return cluster;
}
