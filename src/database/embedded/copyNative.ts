import { constants } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, mkdtemp, readdir, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { NativePackage } from './findNativePackage.js';
import { hydrateSymlinks } from './hydrateSymlinks.js';
import { listNativeFiles, type NativeEntry } from './listNativeFiles.js';

/** A copy in the making that is older than this, in ms, was left behind by a process that died. */
const ABANDONED_AFTER = 10 * 60_000;

/**
 * Copies the native folder to `<base>/postgres-<version>/native` for everybody to read, unless it is there already, and
 * returns where. The copy appears by a rename, so that a process starting at the same moment never sees half of it.
 */
export async function copyNative(source: NativePackage, base: string): Promise<string> {
  const name = `postgres-${source.version}`;
  const target = join(base, name);
  const entries = await listNativeFiles(source.folder);
  if (await isIntact(source.folder, target, entries)) return join(target, 'native');
  await removeAbandoned(base, `${name}.`);
  const making = await mkdtemp(`${target}.`);
  try {
    await copyEntries(source.folder, join(making, 'native'), entries);
    await chmod(making, 0o755);
    await swapIn(making, target, () => isIntact(source.folder, target, entries));
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return join(target, 'native');
}

async function copyEntries(from: string, to: string, entries: readonly NativeEntry[]): Promise<void> {
  await makeFolder(to);
  for (const { path, kind } of entries) {
    if (kind === 'folder') await makeFolder(join(to, path));
    else if (kind === 'link') await symlink(await readlink(join(from, path)), join(to, path));
    else {
      await copyFile(join(from, path), join(to, path), constants.COPYFILE_FICLONE);
      await chmod(join(to, path), path.startsWith('bin') ? 0o755 : 0o644);
    }
  }
  await hydrateSymlinks(to);
}

/** With its mode set apart from the making, which the umask would cut. */
async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder);
  await chmod(folder, 0o755);
}

async function swapIn(making: string, target: string, isIntactNow: () => Promise<boolean>): Promise<void> {
  try {
    await rename(making, target);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    // Somebody was quicker, or what is there is damaged (a power cut soon after copying empties files).
    if (await isIntactNow()) return;
    const damaged = `${making}-damaged`;
    await rename(target, damaged);
    await rename(making, target);
    await rm(damaged, { recursive: true, force: true });
  }
}

async function isIntact(from: string, target: string, entries: readonly NativeEntry[]): Promise<boolean> {
  const same = await Promise.all(
    entries.map(async ({ path, kind }) => {
      const copy = await lstat(join(target, 'native', path)).catch(() => undefined);
      return copy !== undefined && (kind !== 'file' || copy.size === (await stat(join(from, path))).size);
    }),
  );
  return same.every(Boolean);
}

async function removeAbandoned(base: string, prefix: string): Promise<void> {
  for (const name of await readdir(base)) {
    if (!name.startsWith(prefix)) continue;
    const { mtimeMs } = await stat(join(base, name)).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > ABANDONED_AFTER) await rm(join(base, name), { recursive: true, force: true });
  }
}
