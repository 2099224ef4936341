import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, readPassword } from './Cluster.js';
import { canConnect } from './canConnect.js';
import { disownPostmasterFile } from './disownPostmasterFile.js';
import { findOrphan } from './findOrphan.js';
import { isAlive } from './isAlive.js';
import type { RunningServer } from './launchPostgres.js';
import { readPostmasterFile } from './readPostmasterFile.js';

/** ms to wait for an orphan that is starting, recovering or shutting down. */
const ORPHAN_LIMIT = 60_000;
/** ms between two looks at whether an adopted server is still there. */
const WATCH_EVERY = 1_000;

/**
 * Takes over the server that a killed process of ours left running; undefined when there is none, and then nothing
 * stands in the way of a new one.
 */
export async function adoptOrphan(cluster: Cluster): Promise<RunningServer | undefined> {
  const deadline = Date.now() + ORPHAN_LIMIT;
  for (;;) {
    const orphan = await findOrphan(cluster);
    if (!orphan) break;
    const { pid, port, ready } = orphan;
    if (ready && port !== undefined && (await canConnect({ port, password: await readPassword(cluster) }, 'postgres'))) {
      return { pid, port, ended: watchEnd(pid) };
    }
    if (Date.now() > deadline) {
      throw new Error(`Process ${pid} is a PostgreSQL on ${cluster.data} that accepts no connections. Stop it and start again.`);
    }
    await sleep(25);
  }
  await clearTheWay(cluster.data);
  return undefined;
}

/** PostgreSQL itself removes a postmaster.pid whose process is gone, but not these two kinds of stale ones. */
async function clearTheWay(data: string): Promise<void> {
  const file = await readPostmasterFile(data);
  if (file && (await isAlive(file.pid))) return disownPostmasterFile(data);
  // A power cut can leave an empty file. A server that is just writing it would be done by the second look.
  if (!file) {
    await sleep(50);
    if (!(await readPostmasterFile(data))) await rm(join(data, 'postmaster.pid'), { force: true });
  }
}

/** It is not our child, so nobody tells us; the timer does not keep Node running. */
async function watchEnd(pid: number): Promise<string> {
  while (await isAlive(pid)) await sleep(WATCH_EVERY, undefined, { ref: false });
  return 'an unknown cause';
}
