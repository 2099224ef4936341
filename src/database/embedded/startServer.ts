import { setTimeout as sleep } from 'node:timers/promises';
import { adoptOrphan } from './adoptOrphan.js';
import { type Launch, launchPostgres, type RunningServer } from './launchPostgres.js';
import { openServerLog } from './openServerLog.js';

/** ms for which a start is tried again when it failed for a reason that passes. */
const RETRY_FOR = 10_000;
/** Somebody took our port; backends outlive their postmaster for a moment; an orphan was just starting. */
const PASSING = /could not bind|pre-existing shared memory block|lock file "postmaster\.pid" already exists/;

export interface StartedServer extends RunningServer {
  readonly adopted: boolean;
  /** The last lines of its log, in one line. */
  logTail(): string;
}

/** Adopts the server that runs on the cluster, or starts one. Throws one line with the end of the server's log. */
export async function startServer(launch: Launch & { dataDir: string }): Promise<StartedServer> {
  const deadline = Date.now() + RETRY_FOR;
  for (;;) {
    const serverLog = openServerLog(launch.dataDir);
    try {
      const orphan = await adoptOrphan(launch.cluster);
      if (orphan) return { ...orphan, adopted: true, logTail: serverLog.tail };
      const outcome = await launchPostgres(launch, serverLog);
      if (typeof outcome !== 'string') return { ...outcome, adopted: false, logTail: serverLog.tail };
      if (!PASSING.test(serverLog.tail()) || Date.now() > deadline) {
        const needsGlibc = outcome.includes('ENOENT') ? ' The built-in programs need a Linux with glibc.' : '';
        throw new Error(
          `The built-in PostgreSQL did not start: ${outcome}.${needsGlibc} Or set DATABASE_URL. ` +
            `Its log (${serverLog.path}) ends: ${serverLog.tail() || '(empty)'}`,
        );
      }
    } finally {
      serverLog.close();
    }
    await sleep(100);
  }
}
