import { mkdir, readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startEmbeddedPostgres } from '../../../src/database/embedded/startEmbeddedPostgres.js';
import { makeFolder, makeLastingFolder } from './makeFolder.js';
import { makeProject } from './makeProject.js';
import { query } from './query.js';
import { startProgram } from './startProgram.js';

const flags = ['-c', 'fsync=off'];
let dataDir: string;
let program: string;

beforeAll(async () => {
  const { folder, remove } = await makeLastingFolder();
  dataDir = join(folder, 'data');
  program = await makeProject(join(folder, 'project'), 'linked');
  return remove;
});

async function start() {
  const server = await startEmbeddedPostgres({ dataDir, flags });
  onTestFinished(server.stop);
  return server;
}

it('lets one of several processes that start at once own the server, and the others share it', async () => {
  const started = await Promise.all([1, 2, 3].map(() => startProgram(program, { dataDir, flags })));
  const [owner, ...more] = started.filter(({ adopted }) => !adopted);
  if (!owner) throw new Error('nobody owns the server');
  expect(more).toEqual([]);
  expect(new Set(started.map(({ url }) => url)).size).toBe(1);

  for (const sharer of started) if (sharer !== owner) await sharer.stop();
  expect(await query(owner.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  await owner.stop();
  await expect(query(owner.url, 'select 1')).rejects.toThrow();
});

it('shares within one process too, and starts again when the owner has stopped', async () => {
  const owner = await start();
  const sharer = await start();
  expect(sharer).toMatchObject({ adopted: true, url: owner.url });
  await sharer.stop();
  await query(owner.url, 'select 1');
  await owner.stop();
  const next = await start();
  expect(next.adopted).toBe(false);
});

it('goes on for those who share it when the process that started it stops or is killed', async () => {
  for (const end of ['stop', 'kill'] as const) {
    const first = await startProgram(program, { dataDir, flags });
    const second = await startProgram(program, { dataDir, flags });
    await first[end]();
    expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await second.stop();
    await expect(query(second.url, 'select 1')).rejects.toThrow();
  }
});

describe('of many who start on one data folder at once', () => {
  it('one starts the server and the others share it, whatever a killed process left there', async () => {
    for (const leftover of [null, 'postgres.lock'] as const) {
      const folder = await makeFolder();
      if (leftover) {
        await mkdir(join(folder, leftover));
        await utimes(join(folder, leftover), 0, 0);
      }
      const all = await Promise.all(Array.from({ length: 6 }, () => startEmbeddedPostgres({ dataDir: folder, flags })));
      expect(all.filter(({ adopted }) => !adopted)).toHaveLength(1);
      expect(new Set(all.map(({ url }) => url)).size).toBe(1);
      // The last one to leave stops it, even when all leave at once.
      await Promise.all(all.map((server) => server.stop()));
      await expect(query(all[0]?.url ?? '', 'select 1')).rejects.toThrow();
      expect(await readdir(folder)).not.toContain('postgres.lock');
    }
  });
});
