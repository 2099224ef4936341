import { setTimeout as sleep } from 'node:timers/promises';

/** What one look for work came to: a step was taken; the next is due in so many ms; or there is none that nobody is at. */
export type Look = 'taken' | number | null;

/** For a step that is due so soon, whoever works waits; what is due later, the next round finds. */
const SOON_MS = 5_000;

/** Takes step after step of long work, each a transaction of its own, until none is due soon. Returns how many. */
export async function takeSteps(look: () => Promise<Look>, stopping: AbortSignal): Promise<number> {
  let count = 0;
  while (!stopping.aborted) {
    const found = await look();
    if (found === 'taken') count += 1;
    else if (found === null || found > SOON_MS) return count;
    else await sleep(Math.max(10, found), undefined, { signal: stopping }).catch(() => {});
  }
  return count;
}

/** A step that failed is taken again after so many seconds, by how many failed in a row. */
export function pauseSeconds(failures: number): number {
  return Math.min(300, 2 ** Math.min(failures, 20));
}
