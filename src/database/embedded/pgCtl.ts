import { execFile, spawn } from 'node:child_process';
import { closeSync, constants, fchownSync, openSync, statSync } from 'node:fs';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ServerUser } from './ServerUser.js';

/** Runs one of PostgreSQL's programs as the server's user. An error contains the end of its output. */
export async function run(
  program: string,
  args: readonly string[],
  user: ServerUser | undefined,
  outputTo?: number,
): Promise<void> {
  const windows = process.platform === 'win32';
  const child = spawn(program, args, {
    ...(user ? { uid: user.uid, gid: user.gid } : {}),
    // Not in the terminal's process group: Ctrl-C must reach only this process, which then closes everything in order.
    detached: true,
    windowsHide: true,
    // The server's user may not be able to enter the current folder.
    cwd: windows ? undefined : '/',
    // Not our environment, because it contains secrets, and PG* or LD_* variables would interfere.
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
    // The server keeps its output file open, so only the end of the program itself counts.
    child.once(outputTo === undefined ? 'close' : 'exit', (code, signal) =>
      resolve(code === 0 ? '' : `it ended with ${signal ?? `code ${code}`}`),
    );
  });
  if (outcome === '') return;
  const text = output.join('').trim().split('\n').slice(-5).join(' | ');
  throw new Error(text === '' ? outcome : `${outcome}. ${text}`);
}

/** The content of postmaster.pid that is used here. See miscadmin.h, "LOCK_FILE_LINE". */
export interface Postmaster {
  readonly pid: number;
  /** Undefined while the server is still writing the file. */
  readonly port: number | undefined;
  readonly ready: boolean;
}

/** Reads postmaster.pid; undefined when there is no such file, or no valid one. */
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
 * Returns the server that runs on this data directory. `pg_ctl status` only checks whether the process is alive. After a crash
 * its id may belong to another program.
 */
export async function findPostmaster(data: string): Promise<Postmaster | undefined> {
  const file = await readPostmasterFile(data);
  return file && (await servesData(file.pid, data)) ? file : undefined;
}

/** Returns whether that process is the PostgreSQL of this data directory. A zombie has no command line. */
export async function servesData(pid: number, data: string): Promise<boolean> {
  const [program = '', ...args] = await commandLine(pid);
  // Windows shows the program only. The password then shows whether the server is ours.
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

/** Above the highest process id of any system, but still valid for PostgreSQL. */
const NO_PROCESS = 2 ** 31 - 1;

/**
 * Frees a postmaster.pid that no server holds. PostgreSQL removes a file whose process is gone. It does not remove one that a
 * power cut left empty, or one whose process id now belongs to another program. The latter is kept with the id of a process that
 * cannot exist, because it also names the shared memory by which a starting server notices backends that have outlived their
 * postmaster.
 */
export async function freePostmasterFile(data: string): Promise<void> {
  const path = join(data, 'postmaster.pid');
  const read = () => readFile(path, 'utf8').catch(() => undefined);
  let text = await read();
  if (text === '') {
    // A server that is writing the file has finished by the second look.
    await sleep(50);
    text = await read();
    if (text === '') return rm(path, { force: true });
  }
  if (text !== undefined) await writeFile(path, text.replace(/^\d+/, String(NO_PROCESS)));
}

/** Maximum seconds of a start. Replaying the log after a crash takes most of it. */
const START_LIMIT = 120;
/** Milliseconds for which a start is retried when the reason for its failure may pass. */
const RETRY_FOR = 10_000;
/** Another program took the port, or backends have outlived their postmaster for a moment. */
const PASSING = /could not bind|pre-existing shared memory block/;

interface Start {
  readonly pgCtl: string;
  readonly data: string;
  readonly user: ServerUser | undefined;
  /** The folder for `postgres.log`. */
  readonly logFolder: string;
  /** Returns the arguments for `postgres`. Called for every try. */
  readonly args: () => Promise<readonly string[]>;
}

/** Starts a server and waits until it accepts connections. Throws an error of one line with the end of the server's log. */
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

/** Quotes an argument, because pg_ctl passes its options to a shell. */
function quote(argument: string): string {
  return process.platform === 'win32' ? `"${argument}"` : `'${argument.replaceAll("'", "'\\''")}'`;
}

/** Maximum bytes of the log. Beyond it, a start begins a new one and keeps the old one as `postgres.log.1`. */
const ROTATE_AT = 5 * 1024 * 1024;

/** Opens the log, owned by the server's user. The mode is strict because logged statements may contain personal data. */
async function openLog(path: string, folder: string): Promise<number> {
  const { size } = await stat(path).catch(() => ({ size: 0 }));
  if (size > ROTATE_AT) await rename(path, `${path}.1`);
  // Root may write into another user's folder, so it must not follow a link that was planted there.
  const noFollow = constants.O_NOFOLLOW ?? 0;
  const file = openSync(path, constants.O_APPEND | constants.O_CREAT | constants.O_RDWR | noFollow, 0o600);
  if (process.getuid?.() === 0) {
    const { uid, gid } = statSync(folder);
    fchownSync(file, uid, gid);
  }
  return file;
}

/** Returns the last lines of the server's log after byte `from`, joined to one line, without pg_ctl's own lines. */
export async function logTail(path: string, from = 0): Promise<string> {
  const text = (await readFile(path).catch(() => Buffer.alloc(0))).subarray(from).toString('utf8');
  const lines = text.trim().split('\n');
  return lines
    .filter((line) => !/^(pg_ctl: |Examine the log output)/.test(line))
    .slice(-5)
    .join(' | ');
}

/** Stops the server and waits until it has ended: in mode fast, and after ten seconds in mode immediate. */
export async function stopServer(pgCtl: string, data: string, user: ServerUser | undefined): Promise<void> {
  for (const mode of ['fast', 'immediate']) {
    const stopped = await run(pgCtl, ['stop', '--silent', '-w', '-t', '10', '-m', mode, '-D', data], user).then(
      () => true,
      () => false,
    );
    if (stopped || !(await findPostmaster(data))) return;
  }
}
