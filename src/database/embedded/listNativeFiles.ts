import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';

export interface NativeEntry {
  /** Relative to the native folder. */
  readonly path: string;
  readonly kind: 'folder' | 'file' | 'link';
}

/** Everything in a native folder that a server needs, folders before their content. Static libraries are only for linking. */
export async function listNativeFiles(folder: string): Promise<NativeEntry[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found
    .map((entry): NativeEntry => {
      const kind = entry.isDirectory() ? 'folder' : entry.isSymbolicLink() ? 'link' : 'file';
      return { path: relative(folder, join(entry.parentPath, entry.name)), kind };
    })
    .filter(({ path }) => !path.endsWith('.a'))
    .sort((one, other) => (one.path < other.path ? -1 : 1));
}
