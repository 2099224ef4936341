import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface BuiltServer {
  readonly process: ChildProcess;
  /** Returns the output of the process so far, of both streams. */
  output(): string;
  stop(): Promise<void>;
}

/** Runs the built server of a folder as a separate process, with the given environment variables only. */
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

/** Resolves when the server has printed that it is ready. Rejects with its output when it ends before. */
export async function whenReady(server: BuiltServer): Promise<void> {
  while (!server.output().includes('Switchboard is ready')) {
    if (server.process.exitCode !== null || server.process.signalCode !== null) throw new Error(server.output());
    await sleep(20);
  }
}
