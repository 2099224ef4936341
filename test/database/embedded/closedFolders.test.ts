import { chmod, chown, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chooseServerUser, defaultSystemFolders, findSystemFolder } from '../../../src/database/embedded/ServerUser.js';
import { startEmbeddedPostgres } from '../../../src/database/embedded/startEmbeddedPostgres.js';
import { makeFolder } from './makeFolder.js';
import { makeProject } from './makeProject.js';
import { query } from './query.js';
import { startProgram } from './startProgram.js';

const flags = ['-c', 'fsync=off'];

describe.runIf(process.getuid?.() === 0)('as root, in a folder of mode 700', () => {
  /** Creates a closed folder with a data folder in it, and a system folder for the test. */
  async function closedFolder() {
    const folder = await makeFolder();
    const closed = join(folder, 'home');
    await mkdir(closed, { mode: 0o700 });
    const system = join(folder, 'system');
    return { closed, dataDir: join(closed, 'data'), system, systemFolders: [system] };
  }

  it('keeps the database in a system folder, says where, and finds it again', async () => {
    const { dataDir, system, systemFolders } = await closedFolder();
    const log: string[] = [];
    const first = await startEmbeddedPostgres({ dataDir, flags, systemFolders, log: (line) => log.push(line) });
    await query(first.url, 'create table kept as select 42 as answer');
    await first.stop();
    const pointer = await readFile(join(dataDir, 'postgres-location'), 'utf8');
    const home = pointer.trim().split('\n').at(-1) ?? '';
    expect(home).toMatch(/\/system\/[0-9a-f]{24}$/);
    expect(pointer).toContain('# The database is not in this folder');
    expect(log.join()).toContain(home);
    expect((await stat(home)).mode & 0o777).toBe(0o700);

    const second = await startEmbeddedPostgres({ dataDir, flags, systemFolders });
    expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    await second.stop();

    // Removing the data folder removes its pointer. The next start is then a first one, and the old data is kept.
    await rm(dataDir, { recursive: true });
    const third = await startEmbeddedPostgres({ dataDir, flags, systemFolders });
    expect(await query(third.url, `select to_regclass('kept') as kept`)).toEqual([{ kept: null }]);
    await third.stop();
    expect((await readdir(system)).filter((name) => name.includes('.until-'))).toHaveLength(1);
  });

  it('runs a copy of the programs when the project is in such a folder, also with two concurrent starts', async () => {
    const { closed, system, systemFolders } = await closedFolder();
    const program = await makeProject(join(closed, 'project'), 'copied');
    const start = (name: string) => startProgram(program, { dataDir: join(closed, name), flags, systemFolders });
    const both = await Promise.all([start('one'), start('other')]);
    for (const { url } of both) expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await Promise.all(both.map((started) => started.stop()));
    const copies = (await readdir(system)).filter((name) => name.startsWith('postgres-'));
    expect(copies).toHaveLength(1);
    const postgres = join(system, copies[0] ?? '', 'native', 'bin', 'postgres');
    expect(await stat(postgres)).toMatchObject({ uid: 0, mode: 0o100755 });

    // A damaged copy, as after a power cut soon after copying, is replaced.
    await rm(postgres);
    await writeFile(postgres, '');
    const third = await start('one');
    expect(await query(third.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await third.stop();
  });

  it('skips system folders that other users could have prepared', async () => {
    const folder = await makeFolder();
    const user = await chooseServerUser();
    const [planted, open, usable] = [join(folder, 'planted'), join(folder, 'open'), join(folder, 'usable')];
    await mkdir(planted);
    await chown(planted, user?.uid ?? 0, user?.gid ?? 0);
    await mkdir(open);
    await chmod(open, 0o777);
    const unfit = ['/proc/nowhere', planted, open, join(open, 'inside')];
    expect(await findSystemFolder([...unfit, usable], user)).toBe(usable);
    const reasons = /nowhere: ENOENT.*planted: it belongs to somebody else; .*open: others may write it; .*others may replace/;
    await expect(findSystemFolder(unfit, user)).rejects.toThrow(reasons);
    expect(defaultSystemFolders()[0]).toBe('/var/lib/switchboard');
  });

  it('says so when a database that was reachable no longer is', async () => {
    const user = await chooseServerUser();
    const { closed, dataDir } = await closedFolder();
    await mkdir(join(dataDir, 'postgres', 'data'), { recursive: true });
    await writeFile(join(dataDir, 'postgres', 'data', 'PG_VERSION'), '18\n');
    await chown(join(dataDir, 'postgres'), user?.uid ?? 0, user?.gid ?? 0);
    await expect(startEmbeddedPostgres({ dataDir, flags })).rejects.toThrow(`chmod o+x ${closed}`);
  });
});
