import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findFreePort } from '../../src/database/embedded/findFreePort.js';
import { eventually } from './eventually.js';

/** The folder with `initdb` and the other programs of the newest Postgres of Debian's packages. Null without one. */
const BINARIES = ((): string | null => {
  const root = '/usr/lib/postgresql';
  if (!existsSync(root)) return null;
  const [newest] = readdirSync(root).sort((a, b) => Number(b) - Number(a));
  return newest === undefined ? null : join(root, newest, 'bin');
})();

/**
 * Returns why a test that needs one of Debian's servers is skipped. Null when it can run. In CI it always runs, so that a
 * missing package fails.
 */
export function whySkipped(need: 'postgres' | 'pgbouncer'): string | null {
  if (process.env.CI === 'true') return null;
  if (need === 'postgres') return BINARIES ? null : "skipped: Debian's package postgresql is not installed";
  return existsSync('/usr/sbin/pgbouncer') ? null : "skipped: Debian's package pgbouncer is not installed";
}

export interface OwnServer {
  readonly port: number;
  /** A folder that the server can read. It is deleted with the server. */
  readonly folder: string;
  stop(): Promise<void>;
}

/** Neither server runs as root. As root, the tests start them as `postgres`, a user of both packages. */
const asServer = (command: string, ...args: string[]): [string, string[]] =>
  process.getuid?.() === 0 ? ['runuser', ['-u', 'postgres', '--', command, ...args]] : [command, args];

async function makeFolder(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'switchboard-server-'));
  await chmod(folder, 0o755);
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content, { mode: 0o600 });
  if (process.getuid?.() === 0) await promisify(execFile)('chown', ['-R', 'postgres', folder]);
  return folder;
}

/**
 * Starts a separate Postgres with a superuser `switchboard` and a database `postgres`. `hba` are the lines of its
 * pg_hba.conf.
 */
export async function startOwnPostgres({
  hba,
  settings = {},
  files = {},
}: {
  readonly hba: readonly string[];
  readonly settings?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}): Promise<OwnServer> {
  if (!BINARIES) throw new Error("Debian's package postgresql is not installed.");
  const port = await findFreePort();
  const folder = await makeFolder({ ...files, 'pg_hba.conf': `${hba.join('\n')}\n` });
  const data = join(folder, 'data');
  const run = (name: string, ...args: string[]) => {
    const [command, all] = asServer(join(BINARIES, name), ...args);
    return promisify(execFile)(command, all, { cwd: '/' });
  };
  await run('initdb', '-D', data, '-U', 'switchboard', '--auth=trust', '--no-sync');
  const all = {
    ...{ port: String(port), listen_addresses: '127.0.0.1', unix_socket_directories: '', fsync: 'off' },
    ...{ hba_file: join(folder, 'pg_hba.conf') },
    ...settings,
  };
  const options = Object.entries(all).map(([name, value]) => `-c ${name}='${value.replace('$FOLDER', folder)}'`);
  // The streams are closed, because the server would keep them open.
  const [command, args] = asServer(
    join(BINARIES, 'pg_ctl'),
    ...['-D', data, '-w', '-l', join(folder, 'log'), '-o', options.join(' '), 'start'],
  );
  const [code] = await once(spawn(command, args, { cwd: '/', stdio: 'ignore' }), 'exit');
  if (code !== 0) throw new Error(`pg_ctl ended with ${code}.`);
  return {
    port,
    folder,
    async stop() {
      await run('pg_ctl', '-D', data, '-m', 'immediate', 'stop');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Starts PgBouncer in transaction mode in front of a server's databases. Every client connects as that server's user. */
export async function startPgBouncer(serverUrl: string): Promise<OwnServer> {
  const port = await findFreePort();
  const { hostname, port: serverPort, username, password } = new URL(serverUrl);
  const secret = password ? ` password=${decodeURIComponent(password)}` : '';
  const folder = await makeFolder({
    'pgbouncer.ini': `[databases]
* = host=${hostname === 'localhost' ? '127.0.0.1' : hostname} port=${serverPort || 5432} user=${decodeURIComponent(username)}${secret}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 20
max_client_conn = 200
`,
  });
  const [command, args] = asServer('/usr/sbin/pgbouncer', join(folder, 'pgbouncer.ini'));
  const child = spawn(command, args, { cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, 'exit');
  await eventually(() => {
    if (!output.includes('process up')) throw new Error(`PgBouncer is not up: ${output}`);
  });
  return {
    port,
    folder,
    async stop() {
      child.kill('SIGINT');
      child.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
