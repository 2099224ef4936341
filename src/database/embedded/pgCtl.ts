import { execFile, spawn } from 'node:child_process';
import { closeSync, constants, fchownSync, openSync, statSync } from 'node:fs';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ServerUser } from './ServerUser.js';

/** Runs one of PostgreSQL's programs as the server's user. An error holds the end of what it wrote. */
export async function run(
  program: string,
  args: readonly string[],
  user: ServerUser | undefined,
  outputTo?: number,
): Promise<void> {
  const windows = process.platform === 'win32';
  const child = spawn(program, args, {
    ...(user ? { uid: user.uid, gid: user.gid } : {}),
    // Out of the terminal's process group: Ctrl-C shall reach us first, who then close things in order.
    detached: true,
    windowsHide: true,
    // Our own folder may be closed to the server's user.
    cwd: windows ? undefined : '/',
    // Not our environment: secrets don't belong in another user's process, and PG* or LD_* variables would interfere.
    env: windows
      ? { SystemRoot: process.env.SystemRoot, PATH: process.env.PATH, TEMP: process.env.TEMP, LC_ALL: 'C' }
      : { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['ignore', outputTo ?? 'pipe', outputTo ?? 'pipe'],
  });
  const output: string[] = [];
  child.stdout?.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  const outcome = await new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    // With a file to write to, the server keeps it open: the program's own end is what counts.
    child.once(outputTo === undefined ? 'close' : 'exit', (code, signal) =>
      resolve(code === 0 ? '' : `it ended with ${signal ?? `code ${code}`}`),
    );
  });
  if (outcome === '') return;
  const text = output.join('').trim().split('\n').slice(-5).join(' | ');
  throw new Error(text === '' ? outcome : `${outcome}. ${text}`);
}

/** What PostgreSQL writes to postmaster.pid, as far as it concerns us. See miscadmin.h, "LOCK_FILE_LINE". */
export interface Postmaster {
  readonly pid: number;
  /** Missing while the server is still writing the file. */
  readonly port: number | undefined;
  readonly ready: boolean;
}

/** What postmaster.pid says; undefined when there is no such file, or none that makes sense. */
export async function readPostmasterFile(data: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  return { pid, port: Number(lines[3]) || undefined, ready: lines[7]?.trim() === 'ready' };
}

/**
 * The server that runs on this data directory. `pg_ctl status` asks no more than whether the process lives, and after a
 * crash its id may be that of another program.
 */
export async function findPostmaster(data: string): Promise<Postmaster | undefined> {
  const file = await readPostmasterFile(data);
  return file && (await servesData(file.pid, data)) ? file : undefined;
}

/** Whether that process is the PostgreSQL that serves this data directory. (A zombie has no command line.) */
export async function servesData(pid: number, data: string): Promise<boolean> {
  const [program = '', ...args] = await commandLine(pid);
  // Windows tells the program only; the password then tells whether it is ours.
  if (process.platform === 'win32') return program.startsWith('postgres');
  return basename(program) === 'postgres' && (args.includes(data) || args.join(' ').includes(` ${data} `));
}

async function commandLine(pid: number): Promise<string[]> {
  if (process.platform === 'linux') return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
  const windows = process.platform === 'win32';
  const args = windows ? ['/nh', '/fi', `PID eq ${pid}`] : ['-o', 'command=', '-p', String(pid)];
  return promisify(execFile)(windows ? 'tasklist' : 'ps', args).then(
    ({ stdout }) => stdout.trim().split(/\s+/),
    () => [],
  );
}

/** Above the highest process id of any system, and still one that PostgreSQL can parse. */
const NO_PROCESS = 2 ** 31 - 1;

/**
 * Frees a postmaster.pid that no server holds. PostgreSQL removes one whose process is gone, but not one that a power cut
 * left empty, nor one whose process id is now another program's. That one stays, naming a process that cannot exist: it
 * also names the shared memory by which a starting server notices backends that have outlived their postmaster.
 */
export async function freePostmasterFile(data: string): Promise<void> {
  const path = join(data, 'postmaster.pid');
  const read = () => readFile(path, 'utf8').catch(() => undefined);
  let text = await read();
  if (text === '') {
    // A server that is just writing it is done by the second look.
    await sleep(50);
    text = await read();
    if (text === '') return rm(path, { force: true });
  }
  if (text !== undefined) await writeFile(path, text.replace(/^\d+/, String(NO_PROCESS)));
}

/** Seconds that a start may take; replaying the log after a crash takes most of it. */
const START_LIMIT = 120;
/** ms for which a start is tried again when it failed for a reason that passes. */
const RETRY_FOR = 10_000;
/** Somebody took our port; backends outlive their postmaster for a moment. */
const PASSING = /could not bind|pre-existing shared memory block/;

interface Start {
  readonly pgCtl: string;
  readonly data: string;
  readonly user: ServerUser | undefined;
  /** The folder of `postgres.log`. */
  readonly logFolder: string;
  /** Arguments for `postgres`, made anew for every try. */
  readonly args: () => Promise<readonly string[]>;
}

/** Starts a server and waits until it accepts connections. Throws one line with the end of the server's log. */
export async function startServer({ pgCtl, data, user, logFolder, args }: Start): Promise<void> {
  const path = join(logFolder, 'postgres.log');
  for (const deadline = Date.now() + RETRY_FOR; ; await sleep(100)) {
    const log = await openLog(path, logFolder);
    const from = statSync(path).size;
    try {
      const options = (await args()).map(quote).join(' ');
      return await run(pgCtl, ['start', '--silent', '-w', '-t', String(START_LIMIT), '-D', data, '-o', options], user, log);
    } catch (error) {
      const tail = await logTail(path, from);
      if (PASSING.test(tail) && Date.now() < deadline) continue;
      const outcome = (error as Error).message;
      const needsGlibc = outcome.includes('ENOENT') ? ' The built-in programs need a Linux with glibc.' : '';
      throw new Error(
        `The built-in PostgreSQL did not start: ${outcome}.${needsGlibc} Or set DATABASE_URL. ` +
          `Its log (${path}) ends: ${tail || '(empty)'}`,
      );
    } finally {
      closeSync(log);
    }
  }
}

/** pg_ctl hands its options to a shell. */
function quote(argument: string): string {
  return process.platform === 'win32' ? `"${argument}"` : `'${argument.replaceAll("'", "'\\''")}'`;
}

/** Bytes after which a start begins a new log and keeps the old one as `postgres.log.1`. */
const ROTATE_AT = 5 * 1024 * 1024;

/** Opens the log for whichever user the server runs as. Statements in it may hold personal data, hence the mode. */
async function openLog(path: string, folder: string): Promise<number> {
  const { size } = await stat(path).catch(() => ({ size: 0 }));
  if (size > ROTATE_AT) await rename(path, `${path}.1`);
  // Root may be writing into somebody else's folder: never through a link planted there.
  const noFollow = constants.O_NOFOLLOW ?? 0;
  const file = openSync(path, constants.O_APPEND | constants.O_CREAT | constants.O_RDWR | noFollow, 0o600);
  if (process.getuid?.() === 0) {
    const { uid, gid } = statSync(folder);
    fchownSync(file, uid, gid);
  }
  return file;
}

/** The last lines of the server's log after `from` (a byte), in one line, without what pg_ctl adds. */
export async function logTail(path: string, from = 0): Promise<string> {
  const text = (await readFile(path).catch(() => Buffer.alloc(0))).subarray(from).toString('utf8');
  const lines = text.trim().split('\n');
  return lines
    .filter((line) => !/^(pg_ctl: |Examine the log output)/.test(line))
    .slice(-5)
    .join(' | ');
}

/** Stops the server and waits until it has ended: fast, and where that takes more than ten seconds, at once. */
export async function stopServer(pgCtl: string, data: string, user: ServerUser | undefined): Promise<void> {
  for (const mode of ['fast', 'immediate']) {
    const stopped = await run(pgCtl, ['stop', '--silent', '-w', '-t', '10', '-m', mode, '-D', data], user).then(
      () => true,
      () => false,
    );
    if (stopped || !(await findPostmaster(data))) return;
  }
}
