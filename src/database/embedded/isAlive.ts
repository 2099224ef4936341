import { procStat } from './procStat.js';

/** Whether a process runs. One that has ended but that nobody has waited for (a zombie) does not. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const state = (await procStat(pid))?.[0];
  return state !== 'Z' && state !== 'X';
}
