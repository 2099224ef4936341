import { chmod, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerUser } from './chooseServerUser.js';
import { copyNative } from './copyNative.js';
import type { NativePackage } from './findNativePackage.js';
import { findSystemFolder } from './findSystemFolder.js';
import { firstUnreachable } from './firstUnreachable.js';
import { hydrateSymlinks } from './hydrateSymlinks.js';
import { listNativeFiles } from './listNativeFiles.js';
import { EXECUTE, permits, READ } from './permits.js';

/** Absolute paths of the programs, fit to be run by the server's user. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly pgCtl: string;
}

/**
 * Makes sure that `user` can run what npm installed, in place when that is possible and from a copy otherwise: below a
 * mode-700 home, after an install with a strict umask, or where node_modules is read-only and lacks its links.
 */
export async function prepareBinaries(
  native: NativePackage,
  user: ServerUser | undefined,
  systemFolders: readonly string[],
): Promise<Binaries> {
  const folder = await realpath(native.folder);
  if ((await isReadable(folder, user)) && (await repair(folder))) return binariesIn(folder);
  return binariesIn(await copyNative({ ...native, folder }, await findSystemFolder(systemFolders, user)));
}

function binariesIn(native: string): Binaries {
  const program = (name: string) => join(native, 'bin', process.platform === 'win32' ? `${name}.exe` : name);
  return { initdb: program('initdb'), postgres: program('postgres'), pgCtl: program('pg_ctl') };
}

/** Whether `user` may read every file; whether the programs are executable is seen to by the repair. */
async function isReadable(folder: string, user: ServerUser | undefined): Promise<boolean> {
  if (!user) return true;
  if ((await firstUnreachable(folder, user)) !== undefined) return false;
  const entries = await listNativeFiles(folder);
  const readable = await Promise.all(
    entries.map(async ({ path, kind }) => {
      if (kind === 'link') return true;
      return permits(await stat(join(folder, path)), user, kind === 'folder' ? READ | EXECUTE : READ);
    }),
  );
  return readable.every(Boolean);
}

/** Makes missing links and sets missing executable bits. Returns whether all is well now. */
async function repair(folder: string): Promise<boolean> {
  try {
    await hydrateSymlinks(folder);
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
