import { constants, type Stats } from 'node:fs';
import { access, chmod, lstat, mkdir, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ServerUser } from './chooseServerUser.js';
import { firstUnreachable } from './firstUnreachable.js';

/** Where to put what cannot stay where it is; the best first: /var/lib and /var/tmp outlive a reboot. */
export function defaultSystemFolders(): string[] {
  const uid = process.getuid?.() ?? 0;
  const temporary = [...new Set(['/var/tmp', tmpdir(), '/tmp'])].map((folder) => join(folder, `switchboard-${uid}`));
  return uid === 0 ? ['/var/lib/switchboard', ...temporary] : temporary;
}

/**
 * The first of `folders` that exists or can be made, that we can write, that `user` can reach, and where nobody else can
 * plant a program for us to run.
 */
export async function findSystemFolder(folders: readonly string[], user: ServerUser | undefined): Promise<string> {
  const reasons: string[] = [];
  for (const folder of folders) {
    const reason = await makeFolder(folder)
      .then(() => unfitness(folder, user))
      .catch((error: Error) => error.message);
    if (reason === undefined) return realpath(folder);
    reasons.push(`${folder}: ${reason}`);
  }
  throw new Error(
    'The built-in PostgreSQL cannot be reached where it is by the user it runs as, and there is no other place for it ' +
      `(${reasons.join('; ')}). Start from a folder that others may traverse, or set DATABASE_URL.`,
  );
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
    // The mode given to mkdir would be cut by the umask.
    await chmod(folder, 0o755);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

async function unfitness(folder: string, user: ServerUser | undefined): Promise<string | undefined> {
  const stats = await lstat(folder);
  if (!stats.isDirectory()) return 'not a folder';
  if (stats.uid !== process.getuid?.()) return 'it belongs to somebody else';
  if (stats.mode & 0o022) return 'others may write it';
  const real = await realpath(folder);
  for (let above = dirname(real); ; above = dirname(above)) {
    if (!isSafeAbove(await lstat(above))) return `others may replace what is in ${above}`;
    if (above === dirname(above)) break;
  }
  await access(real, constants.W_OK);
  const blocked = await firstUnreachable(real, user);
  return blocked === undefined ? undefined : `${user?.name} may not pass through ${blocked}`;
}

/** In a sticky folder such as /tmp only the owner of an entry can rename it. */
function isSafeAbove({ uid, mode }: Stats): boolean {
  return (uid === 0 || uid === process.getuid?.()) && ((mode & 0o022) === 0 || (mode & 0o1000) !== 0);
}
