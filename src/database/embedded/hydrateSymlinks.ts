import { lstat, readFile, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

/**
 * npm packages hold no symbolic links. The platform package lists them in pg-symlinks.json and makes them in its
 * install script, which never runs where install scripts are switched off: makes those that are missing.
 */
export async function hydrateSymlinks(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    // Both are relative to the package; `target` is where the link goes.
    const link = join(dirname(native), target);
    if (await lstat(link).catch(() => undefined)) continue;
    await symlink(relative(dirname(target), source), link).catch((error: NodeJS.ErrnoException) => {
      // Somebody else, starting at the same moment, was quicker.
      if (error.code !== 'EEXIST') throw error;
    });
  }
}
