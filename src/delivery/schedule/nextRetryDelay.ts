/** Spread of ±20 %, so that what failed together does not come back together. */
const JITTER = 0.2;

/**
 * How long to wait after an attempt has failed.
 *
 * @param attemptNumber of the attempt that has just failed, counted from 1.
 * @param delaysMs milliseconds before the first retry, the second, and so on.
 * @param random as Math.random: at least 0, below 1.
 * @returns whole milliseconds, or null when all retries are used up.
 */
export function nextRetryDelay(
  attemptNumber: number,
  delaysMs: readonly number[],
  random: () => number = Math.random,
): number | null {
  const delay = delaysMs[attemptNumber - 1];
  return delay === undefined ? null : Math.round(delay * (1 - JITTER + 2 * JITTER * random()));
}
