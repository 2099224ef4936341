import { closeSync, constants, fchownSync, fstatSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Bytes after which a start begins a new log and keeps the old one as `postgres.log.1`. */
const ROTATE_AT = 5 * 1024 * 1024;
/** Bytes at the end of the log that an error message may quote from. */
const TAIL = 8 * 1024;

export interface ServerLog {
  /** For the server to write to, whichever user it runs as. */
  readonly fd: number;
  readonly path: string;
  /** The last lines of this run, in one line. */
  tail(): string;
  close(): void;
}

/**
 * Opens `postgres.log` in the data folder. A file and not a pipe: a pipe breaks when we are killed, and the server
 * with it. Statements in it may hold personal data, hence the mode.
 */
export function openServerLog(dataDir: string): ServerLog {
  const path = join(dataDir, 'postgres.log');
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > ROTATE_AT) renameSync(path, `${path}.1`);
  // Root may be writing into somebody else's folder: never through a link planted there.
  const noFollow = constants.O_NOFOLLOW ?? 0;
  const fd = openSync(path, constants.O_APPEND | constants.O_CREAT | constants.O_RDWR | noFollow, 0o600);
  if (process.getuid?.() === 0) {
    const { uid, gid } = statSync(dataDir);
    fchownSync(fd, uid, gid);
  }
  const start = fstatSync(fd).size;
  return { fd, path, tail: () => lastLines(path, start), close: () => closeSync(fd) };
}

function lastLines(path: string, start: number): string {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const from = Math.max(start, size - TAIL);
    const buffer = Buffer.alloc(Math.max(0, size - from));
    readSync(fd, buffer, 0, buffer.length, from);
    return buffer.toString('utf8').trim().split('\n').slice(-5).join(' | ');
  } finally {
    closeSync(fd);
  }
}
