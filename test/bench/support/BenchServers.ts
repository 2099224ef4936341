import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOrganization } from '../../../src/access/createOrganization.js';
import { compose, type Switchboard } from '../../../src/compose.js';
import { readConfig } from '../../../src/config.js';
import { startEmbeddedPostgres } from '../../../src/database/embedded/startEmbeddedPostgres.js';

/** Whole servers on one durable Postgres, with the keys of one organization. */
export class BenchServers {
  readonly #closing = new AsyncDisposableStack();

  private constructor(
    private readonly environment: Record<string, string>,
    private readonly dataDir: string,
  ) {}

  static async open(environment: Record<string, string> = {}): Promise<BenchServers> {
    const dataDir = await mkdtemp(join(tmpdir(), 'switchboard-bench-'));
    const servers = new BenchServers(environment, dataDir);
    servers.#closing.defer(() => rm(dataDir, { recursive: true, force: true }));
    const postgres = await startEmbeddedPostgres({ dataDir });
    servers.#closing.defer(() => postgres.stop());
    servers.environment.DATABASE_URL = postgres.url;
    return servers;
  }

  /** Starts one more server, with the role `api` unless the environment names another. */
  async start(environment: Record<string, string> = {}): Promise<Switchboard> {
    const server = await compose(
      readConfig({
        ...{ PORT: '0', HOST: '127.0.0.1', ROLE: 'api', LOG_LEVEL: 'silent', DATA_DIR: this.dataDir },
        SANDBOX: environment.KLAVIYO_CLIENT_ID || this.environment.KLAVIYO_CLIENT_ID ? 'off' : 'on',
        ENCRYPTION_KEYS: `bench:${Buffer.alloc(32, 7).toString('base64')}`,
        ...this.environment,
        ...environment,
      }),
    );
    this.#closing.defer(() => server.close());
    return server;
  }

  close(): Promise<void> {
    return this.#closing.disposeAsync();
  }
}

/** Returns the `Authorization` header of a new organization's first key. */
export async function newAuthorization({ database }: Switchboard): Promise<string> {
  const { publicKey, secretKey } = await createOrganization({ database }, 'Bench');
  return basic(publicKey, secretKey);
}

export function basic(publicKey: string, secretKey: string): string {
  return `Basic ${Buffer.from(`${publicKey}:${secretKey}`).toString('base64')}`;
}
