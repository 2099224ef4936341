import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from './Cluster.js';
import { isAlive } from './isAlive.js';
import { servesData } from './servesData.js';

/** ms that a fast shutdown may take before an immediate one, which the next start has to recover from. */
const FAST_LIMIT = 10_000;
/** ms that an immediate shutdown may take; PostgreSQL kills its own stragglers after 5,000. */
const IMMEDIATE_LIMIT = 7_000;

interface Stop {
  readonly cluster: Cluster;
  readonly pid: number;
  readonly log: (line: string) => void;
  /** Needed on Windows, which has no signals. */
  readonly pgCtl?: string;
}

/** Stops a server and waits until it has ended. Does nothing when the process is not, or no longer, that server. */
export async function stopServer({ cluster, pid, log, pgCtl }: Stop): Promise<void> {
  const steps = [
    { signal: 'SIGINT', limit: FAST_LIMIT },
    { signal: 'SIGQUIT', limit: IMMEDIATE_LIMIT },
  ] as const;
  for (const { signal, limit } of steps) {
    if (!(await servesData(pid, cluster.data))) return;
    await send(pid, signal, pgCtl);
    const deadline = Date.now() + limit;
    while (Date.now() < deadline) {
      if (!(await isAlive(pid))) return;
      await sleep(10);
    }
    log(`PostgreSQL (process ${pid}) did not stop within ${limit / 1000} s of ${signal}.`);
  }
}

async function send(pid: number, signal: 'SIGINT' | 'SIGQUIT', pgCtl?: string): Promise<void> {
  if (process.platform === 'win32' && pgCtl) {
    await new Promise((done) => execFile(pgCtl, ['kill', signal.slice(3), String(pid)], done));
    return;
  }
  try {
    process.kill(pid, signal);
  } catch (error) {
    // Gone in the meantime is what we want.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
