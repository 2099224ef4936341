import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { isAlive } from './isAlive.js';

/** Whether that process is alive and is the PostgreSQL that serves this data directory. */
export async function servesData(pid: number, data: string): Promise<boolean> {
  if (!(await isAlive(pid))) return false;
  const [program = '', ...args] = await commandLine(pid);
  // Windows tells the program only; the password then tells whether it is ours.
  if (process.platform === 'win32') return program.startsWith('postgres');
  return basename(program) === 'postgres' && (args.includes(data) || args.join(' ').includes(` ${data} `));
}

/**
 * The arguments a process was started with, its program first. Empty when there is no such process. (Its working
 * directory would tell more, but in a container even root may lack the capability to ask for another user's.)
 */
async function commandLine(pid: number): Promise<string[]> {
  if (process.platform === 'linux') return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
  const windows = process.platform === 'win32';
  const args = windows ? ['/nh', '/fi', `PID eq ${pid}`] : ['-o', 'command=', '-p', String(pid)];
  return promisify(execFile)(windows ? 'tasklist' : 'ps', args).then(
    ({ stdout }) => stdout.trim().split(/\s+/),
    () => [],
  );
}
