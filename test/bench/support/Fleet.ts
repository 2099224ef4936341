import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '../../../src/database/embedded/findFreePort.js';
import { type BuiltServer, runBuiltServer, whenReady } from '../../support/runBuiltServer.js';
import type { Bench } from './Bench.js';

export interface FleetServer extends BuiltServer {
  readonly url: string;
}

/** Several processes of the built server on the bench's database. */
export class Fleet {
  readonly #servers: FleetServer[] = [];
  /** Rejects when a process ends without being stopped, because the bench would otherwise wait for ever. */
  readonly broken: Promise<never>;
  #breaks: (error: Error) => void = () => {};

  private constructor(
    private readonly bench: Bench,
    private readonly dataDir: string,
  ) {
    this.broken = new Promise((_, reject) => {
      this.#breaks = reject;
    });
    this.broken.catch(() => {});
  }

  static async open(bench: Bench): Promise<Fleet> {
    return new Fleet(bench, await mkdtemp(join(tmpdir(), 'switchboard-fleet-')));
  }

  /** Starts one more process. `environmentFor` gets its URL, unless it is one more process behind `publicUrl`. */
  async start(
    environmentFor: (publicUrl: string) => Record<string, string> = () => ({}),
    publicUrl?: string,
  ): Promise<FleetServer> {
    const port = await findFreePort();
    const url = `http://127.0.0.1:${port}`;
    const server = runBuiltServer(process.cwd(), {
      ...this.bench.environment(port, this.dataDir),
      PUBLIC_URL: publicUrl ?? url,
      ...environmentFor(publicUrl ?? url),
    });
    await whenReady(server);
    const started = { ...server, url };
    this.#servers.push(started);
    server.process.once('exit', (code, signal) => {
      if (!this.#servers.includes(started)) return;
      this.#breaks(new Error(`A process ended by itself (${signal ?? code}). ${server.output().slice(-2_000)}`));
    });
    return started;
  }

  /** Kills a process with SIGKILL. */
  async kill(server: FleetServer): Promise<void> {
    this.#servers.splice(this.#servers.indexOf(server), 1);
    const exited = once(server.process, 'exit');
    server.process.kill('SIGKILL');
    await exited;
  }

  /** Returns how many running processes are ready. */
  async ready(): Promise<number> {
    const answers = await Promise.all(
      this.#servers.map(({ url }) =>
        fetch(`${url}/health/ready`).then(
          ({ status }) => status === 200,
          () => false,
        ),
      ),
    );
    return answers.filter(Boolean).length;
  }

  get size(): number {
    return this.#servers.length;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.splice(0).map((server) => server.stop()));
    await rm(this.dataDir, { recursive: true, force: true });
  }
}
