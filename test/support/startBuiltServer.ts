import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inject } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Our sources as JavaScript, in a folder of their own: what `npm start` runs, apart from whatever is in `dist`.
 * They are built once in a run, by whichever test comes first; returns the folder.
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
  for (const name of ['node_modules', 'package.json']) await symlink(join(ROOT, name), join(folder, name));
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const options = ['-p', join(ROOT, 'tsconfig.build.json'), '--outDir', join(folder, 'dist'), '--incremental', 'false'];
  // Only what it emits matters here: types are checked elsewhere.
  await promisify(execFile)(process.execPath, [tsc, ...options, '--tsBuildInfoFile', 'null']).catch(() => undefined);
  await writeFile(done, '');
  return folder;
}

export interface BuiltServer {
  readonly process: ChildProcess;
  /** Everything that it wrote, to either stream. */
  output(): string;
  stop(): Promise<void>;
}

/** Runs the built server as a process of its own, with nothing but the given environment. */
export function runBuiltServer(folder: string, environment: Record<string, string>): BuiltServer {
  const child = spawn(process.execPath, [join(folder, 'dist/src/main.js')], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return {
    process: child,
    output: () => output,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Resolves when the server says that it is ready; rejects with what it wrote when it ends before. */
export async function whenReady(server: BuiltServer): Promise<void> {
  while (!server.output().includes('Switchboard is ready')) {
    if (server.process.exitCode !== null) throw new Error(server.output());
    await sleep(20);
  }
}
