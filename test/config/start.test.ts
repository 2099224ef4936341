import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { findFreePort } from '../../src/database/embedded/findFreePort.js';
import { createTestDatabase } from '../support/createTestDatabase.js';
import { buildServer, runBuiltServer, whenReady } from '../support/startBuiltServer.js';
import { TEST_KEY } from '../support/startSwitchboard.js';

let folder: string;
beforeAll(async () => {
  folder = await buildServer();
});

async function startAndFail(environment: Record<string, string>) {
  const server = runBuiltServer(folder, environment);
  onTestFinished(() => server.stop());
  const [code] = await once(server.process, 'exit');
  return { code, lines: server.output().trimEnd().split('\n') };
}

describe('A server that cannot start gives the reason in one line and exits with 1', () => {
  it('with DATABASE_URL and no ENCRYPTION_KEYS', async () => {
    expect(await startAndFail({ DATABASE_URL: 'postgres://me:hunter2@localhost:1/x' })).toEqual({
      code: 1,
      lines: [expect.stringMatching(/^ENCRYPTION_KEYS is not set, but DATABASE_URL is: .*openssl rand -base64 32/)],
    });
  });

  it('with a wrong value', async () => {
    expect(await startAndFail({ ROLE: 'boss' })).toEqual({
      code: 1,
      lines: ['ROLE got "boss", but wants one of all, api, worker.'],
    });
  });

  it('with a database that does not exist, or that refuses the user', async () => {
    const environment = { ENCRYPTION_KEYS: TEST_KEY, LOG_LEVEL: 'silent', KLAVIYO_CLIENT_ID: 'id', KLAVIYO_CLIENT_SECRET: 's' };
    const nobody = await startAndFail({ ...environment, DATABASE_URL: 'postgres://me:hunter2@127.0.0.1:1/x' });
    expect(nobody).toEqual({
      code: 1,
      lines: [expect.stringMatching(/^The database can not be used: connect ECONNREFUSED 127\.0\.0\.1:1\. See DATABASE_URL/)],
    });
    const elsewhere = Object.assign(new URL(inject('postgresUrl')), { pathname: '/nowhere' }).href;
    const unknown = await startAndFail({ ...environment, DATABASE_URL: elsewhere });
    expect(unknown).toEqual({
      code: 1,
      lines: [expect.stringContaining('The database can not be used: database "nowhere" does not exist. See DATABASE_URL')],
    });
  });

  it('with a port that is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const database = await createTestDatabase();
    onTestFinished(async () => {
      taken.close();
      await database.drop();
    });
    const { port } = taken.address() as { port: number };
    const { code, lines } = await startAndFail({
      PORT: String(port),
      HOST: '127.0.0.1',
      DATABASE_URL: database.url,
      ENCRYPTION_KEYS: TEST_KEY,
      ...{ KLAVIYO_CLIENT_ID: 'id', KLAVIYO_CLIENT_SECRET: 'secret' },
      LOG_LEVEL: 'error',
    });
    expect(code).toBe(1);
    expect(lines.filter((line) => !/Deprecat|trace-deprecation/.test(line))).toEqual([
      `Port ${port} is taken: stop what listens there, or set PORT to another.`,
    ]);
  });
});

describe('A start with fallbacks names them in its first line', () => {
  it('and names a misspelled variable', async () => {
    const dataDir = await makeFolder();
    const server = runBuiltServer(folder, {
      DATBASE_URL: 'postgres://me:hunter2@localhost/x',
      ...{ PORT: String(await findFreePort()), DATA_DIR: dataDir, LOG_LEVEL: 'silent' },
    });
    onTestFinished(() => server.stop());
    await whenReady(server);
    const lines = server.output().split('\n');
    expect(lines[0]).toBe(
      `DATABASE_URL is not set: the built-in Postgres is used, with its data in ${dataDir}. KLAVIYO_CLIENT_ID is not set: the sandbox stands in for Klaviyo.`,
    );
    expect(lines).toContain('DATBASE_URL means nothing here. Did you mean DATABASE_URL?');
    expect(server.output()).not.toContain('hunter2');
  });

  it('also when there is no Klaviyo at all; without fallbacks it prints nothing', async () => {
    const database = await createTestDatabase();
    onTestFinished(() => database.drop());
    const start = async (more: Record<string, string>) => {
      const server = runBuiltServer(folder, {
        ...{ PORT: String(await findFreePort()), HOST: '127.0.0.1', LOG_LEVEL: 'silent' },
        ...{ DATABASE_URL: database.url, ENCRYPTION_KEYS: TEST_KEY, ...more },
      });
      onTestFinished(() => server.stop());
      await whenReady(server);
      return server
        .output()
        .split('\n')
        .filter((line) => !/Deprecat|trace-deprecation/.test(line))[0];
    };
    expect(await start({})).toBe('KLAVIYO_CLIENT_ID is not set: nobody can connect to Klaviyo here.');
    expect(await start({ KLAVIYO_CLIENT_ID: 'id', KLAVIYO_CLIENT_SECRET: 'secret' })).toBe('');
  });
});

/** Returns a folder that Postgres' own user can read when we are root. */
async function makeFolder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'switchboard-start-'));
  await chmod(made, 0o755);
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}
