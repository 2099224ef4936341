import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The result of a look for work: a step was taken; the milliseconds until the next one is due; or null, when no step is left
 * that another worker does not have.
 */
export type Look = 'taken' | number | null;

/** Milliseconds. A worker waits for a step that is due within this time. The next round takes a later one. */
const SOON_MS = 5_000;

/** Takes the steps of long work, each in its own transaction, until none is due soon. Returns how many. */
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

/** Returns the seconds after which a failed step is tried again, by the number of consecutive failures. */
export function pauseSeconds(failures: number): number {
  return Math.min(300, 2 ** Math.min(failures, 20));
}
