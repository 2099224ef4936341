import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Above the highest process id of any system, and still one that PostgreSQL can parse. */
const NO_PROCESS = 2 ** 31 - 1;

/**
 * Frees a postmaster.pid whose process id now belongs to some other program, which PostgreSQL would take for a running
 * server. The file stays, naming a process that cannot exist: it also names the shared memory by which a starting server
 * notices backends that have outlived their postmaster, and to write the data beside those would destroy it.
 */
export async function disownPostmasterFile(data: string): Promise<void> {
  const file = join(data, 'postmaster.pid');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(/^\d+/, String(NO_PROCESS)));
}
