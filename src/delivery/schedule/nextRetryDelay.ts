/** Spread of ±20 %, so that what failed together does not come back together. */
const JITTER = 0.2;

/** `Retry-After: 0` must not burn all retries within one second. */
const SHORTEST_ASKED_MS = 1_000;

/**
 * How long to wait before a retry.
 *
 * @param retryNumber counted from 1.
 * @param delaysMs milliseconds before the first retry, the second, and so on.
 * @param random as Math.random: at least 0, below 1.
 * @param askedMs what the receiver asked for instead (Retry-After), or null.
 * @returns whole milliseconds, or null when there is no such retry: all are used up.
 */
export function nextRetryDelay(
  retryNumber: number,
  delaysMs: readonly number[],
  random: () => number = Math.random,
  askedMs: number | null = null,
): number | null {
  const delay = delaysMs[retryNumber - 1];
  if (delay === undefined) return null;
  const usualMs = Math.round(delay * (1 - JITTER + 2 * JITTER * random()));
  return askedMs === null ? usualMs : Math.max(askedMs, Math.min(SHORTEST_ASKED_MS, usualMs));
}
