import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startEmbeddedPostgres } from '../../../src/database/embedded/startEmbeddedPostgres.js';
import { takeOwnership } from '../../../src/database/embedded/takeOwnership.js';
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

describe('ownership of a data folder', () => {
  it('goes to one of many who ask at once, whatever was left there', async () => {
    const leftovers = [undefined, 'released', '999999999 12345', '1 not-when-that-one-started', 'rubbish', ''];
    for (const leftover of leftovers) {
      const folder = await makeFolder();
      if (leftover !== undefined) {
        await mkdir(join(folder, 'postgres-owner'));
        await writeFile(join(folder, 'postgres-owner', '7'), leftover);
        await utimes(join(folder, 'postgres-owner', '7'), 0, 0);
      }
      for (let round = 0; round < 5; round++) {
        const all = await Promise.all(Array.from({ length: 20 }, () => takeOwnership(folder)));
        const winners = all.filter((ownership) => ownership !== undefined);
        expect(winners).toHaveLength(1);
        expect(await takeOwnership(folder)).toBeUndefined();
        await winners[0]?.release();
      }
      expect(await readdir(join(folder, 'postgres-owner'))).toHaveLength(1);
    }
  });

  it('is not taken while somebody is still writing a claim', async () => {
    const folder = await makeFolder();
    await mkdir(join(folder, 'postgres-owner'));
    await writeFile(join(folder, 'postgres-owner', '1'), '');
    expect(await takeOwnership(folder)).toBeUndefined();
  });
});
