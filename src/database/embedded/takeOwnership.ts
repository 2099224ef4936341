import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive } from './isAlive.js';
import { processStartTime } from './processStartTime.js';

/** Held by the one process that starts and stops the server of a data folder. */
export interface Ownership {
  release(): Promise<void>;
}

/** A claim without content that is younger than this, in ms, is being written; older, its writer died over it. */
const WRITING = 5_000;

/**
 * Tries to become the owner of a data folder; undefined when a living process is.
 *
 * A claim is a numbered file, made exclusively, that names its process. The highest number counts and is never deleted:
 * whoever finds it stale or released makes the next one, and of two who try, one fails. (To delete a stale lock and make
 * it anew, as usual, lets a slow process delete the fresh lock of a quick one.)
 */
export async function takeOwnership(folder: string): Promise<Ownership | undefined> {
  const claims = join(folder, 'postgres-owner');
  await mkdir(claims, { recursive: true });
  for (;;) {
    const highest = await highestClaim(claims);
    if (highest > 0 && (await isHeld(join(claims, String(highest))))) return undefined;
    const mine = highest + 1;
    if (!(await claim(join(claims, String(mine))))) continue;
    // Our look at the folder may be older than a claim beyond ours: then ours filled a hole behind it, and is void.
    if ((await highestClaim(claims)) !== mine) {
      await rm(join(claims, String(mine)), { force: true });
      continue;
    }
    await removeBelow(claims, mine);
    return {
      // Where it can't be written, say because the folder has been deleted, our own end releases it as well.
      release: () => writeFile(join(claims, String(mine)), 'released').catch(() => {}),
    };
  }
}

/** Whether some process, this one included, owns the data folder just now. */
export async function isOwned(folder: string): Promise<boolean> {
  const claims = join(folder, 'postgres-owner');
  const highest = await highestClaim(claims);
  return highest > 0 && isHeld(join(claims, String(highest)));
}

async function claim(file: string): Promise<boolean> {
  const content = `${process.pid} ${await processStartTime(process.pid)}`;
  return writeFile(file, content, { flag: 'wx' }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );
}

async function isHeld(file: string): Promise<boolean> {
  let content: string;
  try {
    content = await readFile(file, 'utf8');
    if (content === '') return Date.now() - (await stat(file)).mtimeMs < WRITING;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  const [, pid, startTime] = /^(\d+) (.*)$/.exec(content) ?? [];
  return pid !== undefined && (await isAlive(Number(pid))) && (await processStartTime(Number(pid))) === startTime;
}

async function highestClaim(claims: string): Promise<number> {
  return Math.max(0, ...(await readdir(claims)).map(Number).filter(Number.isInteger));
}

async function removeBelow(claims: string, mine: number): Promise<void> {
  for (const name of await readdir(claims)) {
    if (Number(name) < mine) await rm(join(claims, name), { force: true });
  }
}
