import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inject } from 'vitest';

export { type BuiltServer, runBuiltServer, whenReady } from './runBuiltServer.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Compiles our sources to JavaScript in a separate folder, independent of `dist`: what `npm start` runs. The first test in a
 * run that needs it compiles it. Returns the folder.
 */
export async function buildServer(): Promise<string> {
  const folder = join(inject('scratchFolder'), 'build');
  const done = join(folder, 'done');
  const mine = await mkdir(folder).then(
    () => true,
    () => false,
  );
  if (!mine) {
    while (!existsSync(done)) await sleep(50);
    return folder;
  }
  for (const name of ['node_modules', 'package.json', 'public']) await symlink(join(ROOT, name), join(folder, name));
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const options = ['-p', join(ROOT, 'tsconfig.build.json'), '--outDir', join(folder, 'dist'), '--incremental', 'false'];
  // Errors are ignored here, because another command checks the types.
  await promisify(execFile)(process.execPath, [tsc, ...options, '--tsBuildInfoFile', 'null']).catch(() => undefined);
  await symlink(join(ROOT, 'dist/console'), join(folder, 'dist/console'));
  await writeFile(done, '');
  return folder;
}
