import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startEmbeddedPostgres } from '../../../src/database/embedded/startEmbeddedPostgres.js';
import { makeLastingFolder } from './makeFolder.js';
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

async function start(log?: string[]) {
  const server = await startEmbeddedPostgres({ dataDir, flags, log: (line) => log?.push(line) });
  onTestFinished(server.stop);
  return server;
}

const postmasterFile = () => join(dataDir, 'postgres', 'data', 'postmaster.pid');
const postmasterPid = async () => Number.parseInt(await readFile(postmasterFile(), 'utf8'), 10);

it('adopts the server of a process that was killed, and stops it', async () => {
  const killed = await startProgram(program, { dataDir, flags });
  await query(killed.url, 'create table kept as select 42 as answer');
  const pid = await postmasterPid();
  await killed.kill();
  expect(await isAlive(pid)).toBe(true);

  const log: string[] = [];
  const server = await start(log);
  expect(server).toMatchObject({ adopted: true, url: killed.url });
  expect(log.join()).toContain(`Adopted the PostgreSQL that an earlier process left running (process ${pid})`);
  expect(await query(server.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
  await server.stop();
  expect(await isAlive(pid)).toBe(false);
});

it('waits for an orphan that is shutting down, then starts anew', async () => {
  const killed = await startProgram(program, { dataDir, flags });
  const pid = await postmasterPid();
  await killed.kill();
  process.kill(pid, 'SIGINT');
  const server = await start();
  expect(server.adopted).toBe(false);
  expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

it('logs an unexpected end of the server, releases the folder, and recovers at the next start', async () => {
  const log: string[] = [];
  const broken = await start(log);
  await query(broken.url, 'create table recovered as select 43 as answer');
  process.kill(await postmasterPid(), 'SIGKILL');
  await expect.poll(() => log.join()).toMatch(/PostgreSQL \(process \d+\) ended unexpectedly/);
  await broken.stop();

  const server = await start();
  expect(server.adopted).toBe(false);
  expect(await query(server.url, 'select answer from recovered')).toEqual([{ answer: 43 }]);
});

it('notices the end of an adopted server too', async () => {
  await (await startProgram(program, { dataDir, flags })).kill();
  const log: string[] = [];
  const server = await start(log);
  process.kill(await postmasterPid(), 'SIGKILL');
  await expect.poll(() => log.join(), { timeout: 5_000 }).toContain('ended unexpectedly');
  await server.stop();
});

describe('a stale postmaster.pid', () => {
  /** Leaves the file as a server that did not end properly does, but with the given process id. */
  async function leavePostmasterFile(pid: number | undefined) {
    const server = await start();
    const text = (await readFile(postmasterFile(), 'utf8')).replace(/^\d+/, String(pid));
    await server.stop();
    await writePostmasterFile(text);
  }

  async function writePostmasterFile(text: string) {
    await writeFile(postmasterFile(), text, { mode: 0o600 });
    const { uid, gid } = await stat(join(dataDir, 'postgres'));
    if (process.getuid?.() === 0) await chown(postmasterFile(), uid, gid);
  }

  it('does not keep the server from starting when its process is gone', async () => {
    const gone = spawn('true');
    await once(gone, 'exit');
    await leavePostmasterFile(gone.pid);
    expect((await start()).adopted).toBe(false);
  });

  it('nor when its process id now belongs to another program, which is not touched', async () => {
    // A process of the server's own user, because PostgreSQL itself rules out processes of other users.
    const { uid, gid } = await stat(join(dataDir, 'postgres'));
    const other = spawn('sleep', ['60'], process.getuid?.() === 0 ? { uid, gid } : {});
    onTestFinished(() => void other.kill());
    await leavePostmasterFile(other.pid);
    const server = await start();
    expect(server.adopted).toBe(false);
    expect(await postmasterPid()).not.toBe(other.pid);
    await server.stop();
    expect(await isAlive(other.pid as number)).toBe(true);
  });

  it('nor when a power cut left it empty', async () => {
    await writePostmasterFile('');
    expect((await start()).adopted).toBe(false);
  });
});

/** Returns whether a process runs. A zombie does not. */
async function isAlive(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
  return !/^[ZX]/.test(text.slice(text.lastIndexOf(')') + 2));
}
