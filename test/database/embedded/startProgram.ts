import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ServerUser } from '../../../src/database/embedded/ServerUser.js';
import { firstUnreachable } from '../../../src/database/embedded/ServerUser.js';
import type { EmbeddedPostgresOptions } from '../../../src/database/embedded/startEmbeddedPostgres.js';

export interface StartedProgram {
  readonly process: ChildProcess;
  readonly url: string;
  readonly adopted: boolean;
  /** Returns its log so far. */
  readonly log: () => string;
  stop(): Promise<void>;
  /** Kills it like `kill -9`. */
  kill(): Promise<void>;
}

/** Runs the program of a project. Resolves when its server runs; rejects with its output when that failed. */
export async function startProgram(
  program: string,
  options: EmbeddedPostgresOptions,
  user?: ServerUser,
): Promise<StartedProgram> {
  const child = spawn(await nodeFor(user, dirname(program)), [program, JSON.stringify(options)], {
    ...(user ? { uid: user.uid, gid: user.gid } : {}),
    cwd: '/',
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  onTestFinished(() => void child.kill('SIGKILL'));
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const first = await Promise.race([once(child.stdout, 'data'), ended.then(() => undefined)]);
  if (!first) throw new Error(errors);
  const { url, adopted } = JSON.parse(String(first[0])) as { url: string; adopted: boolean };
  const end = async (how: () => void) => {
    how();
    await ended;
  };
  return {
    process: child,
    url,
    adopted,
    log: () => errors,
    stop: () => end(() => child.stdin.end()),
    kill: () => end(() => child.kill('SIGKILL')),
  };
}

/** Returns our own Node, or a copy where that user cannot reach ours. */
async function nodeFor(user: ServerUser | undefined, folder: string): Promise<string> {
  if ((await firstUnreachable(dirname(process.execPath), user)) === undefined) return process.execPath;
  await copyFile(process.execPath, join(folder, 'node'));
  return join(folder, 'node');
}
