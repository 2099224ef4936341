import { chmod, mkdtemp, readdir, readFile, realpath, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { servesData } from '../../../src/database/embedded/pgCtl.js';
import { chooseServerUser, firstUnreachable } from '../../../src/database/embedded/ServerUser.js';

/** Bytes, about five times what the tests use at once. */
const MEMORY_NEEDED = 4 * 1024 ** 3;

/** Creates a temporary folder that all users can reach. It is removed after the test. */
export async function makeFolder(): Promise<string> {
  const { folder, remove } = await makeLastingFolder();
  onTestFinished(remove);
  return folder;
}

/** Creates the same for several tests. `remove` removes it and ends the servers that still run in it. */
export async function makeLastingFolder(): Promise<{ folder: string; remove: () => Promise<void> }> {
  // A strict umask would close the folders that these tests need open.
  process.umask(0o022);
  const folder = await mkdtemp(join(await temporaryFolder(), 'switchboard-test-'));
  await chmod(folder, 0o755);
  return { folder, remove: () => removeWithServers(folder) };
}

/** Uses a memory file system if there is enough memory, because these tests create and remove tens of thousands of files. */
async function temporaryFolder(): Promise<string> {
  const mounts = await readFile('/proc/mounts', 'utf8').catch(() => '');
  if (/ \/dev\/shm tmpfs (?!.*noexec)/.test(mounts) && process.availableMemory() > MEMORY_NEEDED) {
    const { bavail, bsize } = await statfs('/dev/shm');
    if (bavail * bsize > MEMORY_NEEDED) return '/dev/shm';
  }
  const temporary = await realpath(tmpdir());
  return (await firstUnreachable(temporary, await chooseServerUser())) === undefined ? temporary : '/tmp';
}

async function removeWithServers(folder: string): Promise<void> {
  const names = await readdir(folder, { recursive: true });
  for (const name of names.filter((path) => path.endsWith('data/postmaster.pid'))) {
    const file = join(folder, name);
    const pid = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10);
    if (pid > 1 && (await servesData(pid, dirname(file)))) process.kill(pid, 'SIGQUIT');
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}
