import { once } from 'node:events';
import { createServer } from 'node:http';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createTestDatabase } from '../support/createTestDatabase.js';
import { buildServer, runBuiltServer } from '../support/startBuiltServer.js';
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

describe('A server that can not start says why in one line and ends with 1', () => {
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
      LOG_LEVEL: 'error',
    });
    expect(code).toBe(1);
    expect(lines.filter((line) => !/Deprecat|trace-deprecation/.test(line))).toEqual([
      `Port ${port} is taken: stop what listens there, or set PORT to another.`,
    ]);
  });
});
