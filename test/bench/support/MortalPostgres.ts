import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findCluster } from '../../../src/database/embedded/Cluster.js';
import { findFreePort } from '../../../src/database/embedded/findFreePort.js';
import { readPostmasterFile } from '../../../src/database/embedded/pgCtl.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../../src/database/embedded/startEmbeddedPostgres.js';

/** A durable Postgres that can be killed, and restarted with the same data at the same address. */
export class MortalPostgres {
  #server: EmbeddedPostgres;

  private constructor(
    private readonly dataDir: string,
    private readonly port: number,
    server: EmbeddedPostgres,
  ) {
    this.#server = server;
  }

  static async start(): Promise<MortalPostgres> {
    const dataDir = await mkdtemp(join(tmpdir(), 'switchboard-mortal-'));
    const port = await findFreePort();
    return new MortalPostgres(dataDir, port, await launch(dataDir, port));
  }

  get url(): string {
    return this.#server.url;
  }

  /** Kills Postgres with SIGKILL, without a checkpoint. The next start recovers from the log. */
  async kill(): Promise<void> {
    const cluster = await findCluster(this.dataDir);
    const postmaster = cluster && (await readPostmasterFile(cluster.data));
    if (!postmaster) throw new Error('There is no Postgres to kill.');
    process.kill(postmaster.pid, 'SIGKILL');
  }

  async startAgain(): Promise<void> {
    this.#server = await launch(this.dataDir, this.port);
  }

  async close(): Promise<void> {
    await this.#server.stop();
    await rm(this.dataDir, { recursive: true, force: true });
  }
}

function launch(dataDir: string, port: number): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({ dataDir, flags: ['-c', `port=${port}`] });
}
