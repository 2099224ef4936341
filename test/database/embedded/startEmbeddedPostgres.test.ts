import { once } from 'node:events';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { findNativePackage } from '../../../src/database/embedded/binaries.js';
import { startEmbeddedPostgres } from '../../../src/database/embedded/startEmbeddedPostgres.js';
import { makeFolder, makeLastingFolder } from './makeFolder.js';
import { query } from './query.js';

let dataDir: string;

beforeAll(async () => {
  const { folder, remove } = await makeLastingFolder();
  dataDir = join(folder, 'not', 'there', 'yet');
  return remove;
});

async function start(flags?: string[]) {
  const server = await startEmbeddedPostgres({ dataDir, flags });
  onTestFinished(server.stop);
  return server;
}

it('makes a database on the first start and finds its data again on the next', async () => {
  const first = await start();
  expect(first.adopted).toBe(false);
  await query(first.url, 'create table kept as select 42 as answer');
  await first.stop();
  await first.stop();
  await expect(query(first.url, 'select 1')).rejects.toThrow();

  const second = await start();
  expect(second.adopted).toBe(false);
  expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
});

it('is durable, in UTF-8 and UTC, on 127.0.0.1 only, and behind a password of mode 600', async () => {
  const server = await start();
  const settings = ['fsync', 'TimeZone', 'server_encoding', 'listen_addresses', 'unix_socket_directories', 'max_connections'];
  const rows = await query(server.url, `select ${settings.map((name) => `current_setting('${name}') as "${name}"`).join(', ')}`);
  expect(rows[0]).toEqual({
    fsync: 'on',
    TimeZone: 'UTC',
    server_encoding: 'UTF8',
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
  });
  expect(await query(server.url, `select upper('ß→é') as upper, 'Z' < 'a' as bytewise`)).toEqual([
    { upper: 'ß→É', bytewise: true },
  ]);
  expect((await stat(join(dataDir, 'postgres', 'password'))).mode & 0o777).toBe(0o600);
  expect((await stat(join(dataDir, 'postgres.log'))).mode & 0o777).toBe(0o600);
  await expect(query(server.url.replace(/:[^:@/]*@/, ':wrong@'), 'select 1')).rejects.toThrow('password authentication failed');
});

it('lets the caller add flags', async () => {
  const server = await start(['-c', 'work_mem=7MB']);
  expect(await query(server.url, 'show work_mem')).toEqual([{ work_mem: '7MB' }]);
});

it('tries again when its port is taken', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  setTimeout(() => other.close(), 500);
  const server = await start(['-c', `port=${port}`]);
  expect(new URL(server.url).port).toBe(String(port));
  expect(other.listening).toBe(false);
});

it('says in one line, with the end of the log, why PostgreSQL did not start, and releases the folder', async () => {
  const reason = /^The built-in PostgreSQL did not start: .*unrecognized configuration parameter "no_such_setting"$/;
  await expect(start(['-c', 'no_such_setting=1'])).rejects.toThrow(reason);
  expect((await start()).adopted).toBe(false);
});

it('refuses data of another major version and says what to do', async () => {
  await writeFile(join(dataDir, 'postgres', 'data', 'PG_VERSION'), '14\n');
  await expect(start()).rejects.toThrow(/made by PostgreSQL 14.*built-in one is 18.*pg_dump.*DATABASE_URL/);
});

it('starts over after an interrupted initdb, and removes its remains', async () => {
  const folder = await makeFolder();
  await mkdir(join(folder, 'postgres.making-killed', 'data'), { recursive: true });
  await writeFile(join(folder, 'postgres.making-killed', 'data', 'PG_VERSION'), '18\n');
  const server = await startEmbeddedPostgres({ dataDir: folder, flags: ['-c', 'fsync=off'] });
  expect((await readdir(folder)).sort()).toEqual(['postgres', 'postgres.log']);
  await server.stop();
});

it('refuses a foreign folder in place of the database', async () => {
  const folder = await makeFolder();
  await mkdir(join(folder, 'postgres', 'photos'), { recursive: true });
  await expect(startEmbeddedPostgres({ dataDir: folder })).rejects.toThrow('exists but holds no database');
});

it('tells users of an unsupported platform to set DATABASE_URL', () => {
  expect(() => findNativePackage('sunos', 'sparc')).toThrow(/sunos-sparc.*DATABASE_URL/);
});
