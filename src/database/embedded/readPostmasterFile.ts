import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What PostgreSQL writes to postmaster.pid, as far as it concerns us. See miscadmin.h, "LOCK_FILE_LINE". */
export interface PostmasterFile {
  readonly pid: number;
  /** Missing while the server is still writing the file. */
  readonly port: number | undefined;
  readonly ready: boolean;
}

/** Undefined when there is no such file, or none that makes sense. */
export async function readPostmasterFile(data: string): Promise<PostmasterFile | undefined> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  return { pid, port: Number(lines[3]) || undefined, ready: lines[7]?.trim() === 'ready' };
}
