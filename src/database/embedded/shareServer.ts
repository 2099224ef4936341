import { setTimeout as sleep } from 'node:timers/promises';
import { type Endpoint, readPassword } from './Cluster.js';
import { canConnect } from './canConnect.js';
import { findCluster } from './findCluster.js';
import { findOrphan } from './findOrphan.js';
import { isOwned } from './takeOwnership.js';

/** ms to wait for the owner's server; its start may take that long after a crash. */
const SHARE_LIMIT = 150_000;

/** Waits for the server of the data folder's owner, with its database; undefined when the owner has gone meanwhile. */
export async function shareServer(dataDir: string, database: string): Promise<Endpoint | undefined> {
  const deadline = Date.now() + SHARE_LIMIT;
  while (await isOwned(dataDir)) {
    const cluster = await findCluster(dataDir);
    const running = cluster && (await findOrphan(cluster));
    if (cluster && running?.ready && running.port !== undefined) {
      const endpoint = { port: running.port, password: await readPassword(cluster) };
      if (await canConnect(endpoint, database)) return endpoint;
    }
    if (Date.now() > deadline) {
      throw new Error(`Another process has been starting or stopping the database in ${dataDir} for ${SHARE_LIMIT / 1000} s.`);
    }
    await sleep(25);
  }
  return undefined;
}
