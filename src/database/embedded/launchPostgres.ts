import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from './Cluster.js';
import { findFreePort } from './findFreePort.js';
import type { ServerLog } from './openServerLog.js';
import { readPostmasterFile } from './readPostmasterFile.js';
import { serverSpawnOptions } from './serverSpawnOptions.js';

/** ms that a start may take; replaying the log after a crash takes most of it. */
const START_LIMIT = 120_000;

export interface RunningServer {
  readonly pid: number;
  readonly port: number;
  /** Resolves with how the server ended, once it has, for whatever reason. */
  readonly ended: Promise<string>;
}

export interface Launch {
  readonly postgres: string;
  readonly cluster: Cluster;
  /** Given to `postgres` after our own settings, which they override. */
  readonly flags: readonly string[];
}

/** Starts a server and waits until it accepts connections. Resolves with the reason, as text, when it does not. */
export async function launchPostgres(
  { postgres, cluster, flags }: Launch,
  serverLog: ServerLog,
): Promise<RunningServer | string> {
  const settings = {
    listen_addresses: '127.0.0.1',
    port: await findFreePort(),
    unix_socket_directories: '',
    timezone: 'UTC',
    log_timezone: 'UTC',
    max_connections: 200,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(postgres, ['-D', cluster.data, ...args, ...flags], {
    ...serverSpawnOptions(cluster.user),
    stdio: ['ignore', serverLog.fd, serverLog.fd],
  });
  child.unref();
  let end: string | undefined;
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ? `signal ${signal}` : `exit code ${code}`));
    child.once('error', (error) => resolve(error.message));
  });
  void ended.then((how) => {
    end = how;
  });

  const deadline = Date.now() + START_LIMIT;
  while (Date.now() < deadline) {
    // The timer also keeps Node running, which the child, let go of above, does not.
    await sleep(10);
    if (end !== undefined) return `it ended with ${end}`;
    const file = await readPostmasterFile(cluster.data);
    if (file?.pid === child.pid && file?.ready && file.port !== undefined) return { pid: file.pid, port: file.port, ended };
  }
  child.kill('SIGQUIT');
  return `it was not ready after ${START_LIMIT / 1000} s`;
}
