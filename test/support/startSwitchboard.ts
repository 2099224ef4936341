import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOrganization } from '../../src/access/createOrganization.js';
import type { ConnectionType } from '../../src/ConnectionType.js';
import { compose, connectionTypes, type Switchboard } from '../../src/compose.js';
import { readConfig } from '../../src/config.js';
import { createTestDatabase, type TestDatabase } from './createTestDatabase.js';
import { GraphQLClient } from './GraphQLClient.js';

export interface TestSwitchboard extends Switchboard {
  readonly testDatabase: TestDatabase;
  /** A client of the first organization. */
  readonly client: GraphQLClient;
  /** Creates another organization. Returns a client of it. */
  anotherOrganization(name?: string): Promise<GraphQLClient>;
  /** Runs a statement in Postgres. Returns its rows. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read whatever they asked for
  sql(statement: string, values?: unknown[]): Promise<any[]>;
}

/** Any 32 bytes are enough, since tests need no real secret. */
export const TEST_KEY = `test:${Buffer.alloc(32, 7).toString('base64')}`;

/**
 * Starts a whole server on a free port, with the sandbox unless the environment names a provider. It has its own database
 * unless it shares another server's, the connection types of the product, and those that a test adds.
 */
export async function startSwitchboard(
  environment: Record<string, string> = {},
  shared?: TestDatabase,
  moreTypes: readonly ConnectionType[] = [],
): Promise<TestSwitchboard> {
  const testDatabase = shared ?? (await createTestDatabase());
  const dataDir = await mkdtemp(join(tmpdir(), 'switchboard-data-'));
  const switchboard = await compose(
    readConfig({
      PORT: '0',
      HOST: '127.0.0.1',
      LOG_LEVEL: 'silent',
      DATABASE_URL: testDatabase.url,
      SANDBOX: environment.KLAVIYO_CLIENT_ID ? 'off' : 'on',
      ENCRYPTION_KEYS: TEST_KEY,
      ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8 ::1/128',
      DATA_DIR: dataDir,
      ...environment,
    }),
    [...connectionTypes, ...moreTypes],
  );
  const clientOf = async (name: string) => {
    const keys = await createOrganization({ database: switchboard.database }, name);
    return new GraphQLClient(`${switchboard.publicUrl}/graphql`, keys);
  };
  return {
    ...switchboard,
    testDatabase,
    client: await clientOf('Acme'),
    anotherOrganization: (name = 'Globex') => clientOf(name),
    sql: (statement, values = []) => switchboard.database.em().getConnection().execute(statement, values),
    async close() {
      await switchboard.close();
      if (!shared) await testDatabase.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
