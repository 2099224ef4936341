import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { procStat } from './procStat.js';

/** When a process started, in whatever unit the system has: told apart from a later one with the same id. Empty when unknown. */
export async function processStartTime(pid: number): Promise<string> {
  if (process.platform === 'linux') return (await procStat(pid))?.[19] ?? '';
  if (process.platform === 'win32') return '';
  return promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
}
