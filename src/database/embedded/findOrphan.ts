import type { Cluster } from './Cluster.js';
import { type PostmasterFile, readPostmasterFile } from './readPostmasterFile.js';
import { servesData } from './servesData.js';

/** The server that runs on this cluster, as seen by an owner that did not start it: its starter was killed. */
export async function findOrphan(cluster: Cluster): Promise<PostmasterFile | undefined> {
  const file = await readPostmasterFile(cluster.data);
  return file && (await servesData(file.pid, cluster.data)) ? file : undefined;
}
