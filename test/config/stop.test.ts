import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { findFreePort } from '../../src/database/embedded/findFreePort.js';
import { createTestDatabase } from '../support/createTestDatabase.js';
import { buildServer, runBuiltServer, whenReady } from '../support/startBuiltServer.js';
import { TEST_KEY } from '../support/startSwitchboard.js';

let folder: string;
beforeAll(async () => {
  folder = await buildServer();
});

/** Forwards to Postgres until it is frozen. From then on it forwards nothing and closes nothing. */
async function freezingProxy(target: URL) {
  const sockets: Socket[] = [];
  let frozen = false;
  const server = createServer((client) => {
    const onward = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [client, onward],
      [onward, client],
    ] as const) {
      sockets.push(from);
      from.on('error', () => to.destroy());
      from.on('data', (chunk) => frozen || to.write(chunk));
      from.on('close', () => to.destroy());
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const url = new URL(target);
  url.host = `127.0.0.1:${(server.address() as { port: number }).port}`;
  return {
    url: url.href,
    freeze: () => {
      frozen = true;
    },
  };
}

async function startBehind(database: string) {
  const server = runBuiltServer(folder, {
    ...{ PORT: String(await findFreePort()), HOST: '127.0.0.1', LOG_LEVEL: 'silent' },
    ...{ DATABASE_URL: database, ENCRYPTION_KEYS: TEST_KEY },
  });
  onTestFinished(() => void server.process.kill('SIGKILL'));
  await whenReady(server);
  return server;
}

it('SIGTERM stops a server in order', async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const server = await startBehind(database.url);
  server.process.kill('SIGTERM');
  expect(await once(server.process, 'exit')).toEqual([0, null]);
});

it('SIGTERM stops a server within two minutes even when its Postgres no longer responds, and the log says so', async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const proxy = await freezingProxy(new URL(database.url));
  const server = await startBehind(proxy.url);
  proxy.freeze();
  server.process.kill('SIGTERM');
  expect(await once(server.process, 'exit')).toEqual([1, null]);
  expect(server.output()).toContain('Switchboard could not stop in order within 60 s and ends now');
}, 180_000);
