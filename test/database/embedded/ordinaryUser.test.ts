import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import { findNativePackage, prepareBinaries } from '../../../src/database/embedded/binaries.js';
import { chooseServerUser, type ServerUser } from '../../../src/database/embedded/ServerUser.js';
import { startEmbeddedPostgres } from '../../../src/database/embedded/startEmbeddedPostgres.js';
import { makeFolder, makeLastingFolder } from './makeFolder.js';
import { makeProject, nativeFolderIn } from './makeProject.js';
import { query } from './query.js';
import { startProgram } from './startProgram.js';

const flags = ['-c', 'fsync=off'];
const isRoot = process.getuid?.() === 0;

/** Root starts the server as this user. Undefined when the tests do not run as root. */
let user: ServerUser | undefined;
let program: string;
let native: string;

beforeAll(async () => {
  const { folder, remove } = await makeLastingFolder();
  user = await chooseServerUser();
  program = await makeProject(folder, 'copied');
  native = nativeFolderIn(folder);
  return remove;
});

/** Creates a folder that belongs to the ordinary user. */
async function ownFolder(name: string, mode = 0o700): Promise<string> {
  const folder = join(await makeFolder(), name);
  await mkdir(folder, { mode });
  if (user) await chown(folder, user.uid, user.gid);
  return folder;
}

it('starts as an ordinary user, and root can serve the same data as that user in between', async () => {
  const dataDir = await ownFolder('data');
  const first = await startProgram(program, { dataDir, flags }, user);
  await query(first.url, 'create table kept as select 42 as answer');
  await first.stop();
  if (isRoot) {
    expect((await stat(join(dataDir, 'postgres', 'data'))).uid).toBe(user?.uid);
    const second = await startEmbeddedPostgres({ dataDir, flags });
    expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    await second.stop();
  }
  const third = await startProgram(program, { dataDir, flags }, user);
  expect(await query(third.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
  await third.stop();
});

it.runIf(isRoot)('says so when the data folder belongs to another user', async () => {
  const dataDir = await makeFolder();
  await expect(startProgram(program, { dataDir }, user)).rejects.toThrow(/data folder .* cannot be used: EACCES/);
});

it('runs a copy where install scripts did not run and node_modules is read-only', async () => {
  await forgetInstallScript();
  await chmod(join(native, 'lib'), 0o555);
  const system = await ownFolder('system', 0o755);
  const server = await startProgram(program, { dataDir: await ownFolder('data'), flags, systemFolders: [system] }, user);
  expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  await server.stop();
  expect(await readdir(system)).toHaveLength(1);
  await chmod(join(native, 'lib'), 0o755);
});

it('creates the missing links of an install script that did not run, if node_modules can be written', async () => {
  await forgetInstallScript();
  for (const name of await readdir(join(native, 'bin'))) await chmod(join(native, 'bin', name), 0o644);
  const { postgres } = await prepareBinaries({ ...findNativePackage(), folder: native }, user, []);
  expect(dirname(postgres)).toBe(join(native, 'bin'));
  const { stdout } = await promisify(execFile)(postgres, ['--version'], user && { uid: user.uid, gid: user.gid });
  expect(stdout).toContain('postgres (PostgreSQL) 18');
});

/** Removes the links that the package's install script makes, as if it had never run. */
async function forgetInstallScript(): Promise<void> {
  const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as { target: string }[];
  expect(links.length).toBeGreaterThan(5);
  for (const { target } of links) await rm(join(native, '..', target), { force: true });
}
