import { constants, type Stats } from 'node:fs';
import { access, chmod, lstat, mkdir, readFile, realpath, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** The user that PostgreSQL runs as, if it is not the current one. */
export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Chooses the user for PostgreSQL, which refuses to run as root. For root it is the owner of an existing cluster, else
 * `postgres`, else `nobody`. Returns undefined for all other users, who run it as themselves.
 */
export async function chooseServerUser(owner?: { uid: number; gid: number }): Promise<ServerUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  // initdb looks its user up by name, so only listed users work.
  const lines = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n').map((line) => line.split(':'));
  const users = lines.map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }));
  if (owner && owner.uid !== 0) {
    return users.find((user) => user.uid === owner.uid) ?? { name: `#${owner.uid}`, uid: owner.uid, gid: owner.gid };
  }
  for (const name of ['postgres', 'nobody']) {
    const user = users.find((candidate) => candidate.name === name && candidate.uid > 0);
    if (user) return user;
  }
  throw new Error(
    'The built-in PostgreSQL cannot run as root, and /etc/passwd has neither "postgres" nor "nobody" to run it as. ' +
      'Start as an ordinary user, or set DATABASE_URL.',
  );
}

export const READ = 4;
export const EXECUTE = 1;

/**
 * Returns whether the mode grants `user` all of `bits`. Node starts the server without supplementary groups, so the user's id and
 * group id decide.
 */
export function permits(stats: Pick<Stats, 'mode' | 'uid' | 'gid'>, user: ServerUser, bits: number): boolean {
  const shift = stats.uid === user.uid ? 6 : stats.gid === user.gid ? 3 : 0;
  return ((stats.mode >> shift) & bits) === bits;
}

/**
 * Returns the outermost folder on the way to `path`, including `path` itself, that `user` may not enter; undefined when there is
 * none. Reads the modes, because access(2) called by root says nothing about another user. Without a user (PostgreSQL runs as the
 * current one), everything is reachable.
 */
export async function firstUnreachable(path: string, user: ServerUser | undefined): Promise<string | undefined> {
  if (!user) return undefined;
  const parent = dirname(path);
  const above = parent === path ? undefined : await firstUnreachable(parent, user);
  if (above !== undefined) return above;
  const stats = await stat(path).catch(() => undefined);
  return stats?.isDirectory() && !permits(stats, user, EXECUTE) ? path : undefined;
}

/** Returns the folders for what cannot stay in place, best first. /var/lib and /var/tmp survive a reboot. */
export function defaultSystemFolders(): string[] {
  const uid = process.getuid?.() ?? 0;
  const temporary = [...new Set(['/var/tmp', tmpdir(), '/tmp'])].map((folder) => join(folder, `switchboard-${uid}`));
  return uid === 0 ? ['/var/lib/switchboard', ...temporary] : temporary;
}

/**
 * Returns the first of `folders` that exists or can be made, that this process can write, that `user` can reach, and where no
 * other user can plant a program for this process to run.
 */
export async function findSystemFolder(folders: readonly string[], user: ServerUser | undefined): Promise<string> {
  const reasons: string[] = [];
  for (const folder of folders) {
    const reason = await unfitness(folder, user).catch((error: Error) => error.message);
    if (reason === undefined) return realpath(folder);
    reasons.push(`${folder}: ${reason}`);
  }
  throw new Error(
    'The built-in PostgreSQL cannot be reached where it is by the user it runs as, and there is no other place for it ' +
      `(${reasons.join('; ')}). Start from a folder that others may traverse, or set DATABASE_URL.`,
  );
}

async function unfitness(folder: string, user: ServerUser | undefined): Promise<string | undefined> {
  await makeFolder(folder);
  const stats = await lstat(folder);
  if (!stats.isDirectory()) return 'not a folder';
  if (stats.uid !== process.getuid?.()) return 'it belongs to somebody else';
  if (stats.mode & 0o022) return 'others may write it';
  const real = await realpath(folder);
  for (let above = dirname(real); ; above = dirname(above)) {
    const { uid, mode } = await lstat(above);
    // In a sticky folder such as /tmp, only the owner of an entry can rename it.
    const isSafe = (uid === 0 || uid === process.getuid?.()) && ((mode & 0o022) === 0 || (mode & 0o1000) !== 0);
    if (!isSafe) return `others may replace what is in ${above}`;
    if (above === dirname(above)) break;
  }
  await access(real, constants.W_OK);
  const blocked = await firstUnreachable(real, user);
  return blocked === undefined ? undefined : `${user?.name} may not pass through ${blocked}`;
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
    // The umask would reduce a mode that is passed to mkdir.
    await chmod(folder, 0o755);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
