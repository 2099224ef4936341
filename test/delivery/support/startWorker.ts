import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { EngineSetup } from './Testbed.js';

/** Starts an engine in a process of its own, which ends with the test. */
export async function startWorker(databaseUrl: string, setup: EngineSetup = {}): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('workerProcess.ts', import.meta.url)), [databaseUrl, JSON.stringify(setup)], {
    execArgv: [
      '--experimental-transform-types',
      '--disable-warning=ExperimentalWarning',
      '--import',
      new URL('typescriptHooks.mjs', import.meta.url).href,
    ],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => {
      throw new Error('The worker ended before it had started.');
    }),
  ]);
  return child;
}
