/** Each step of a histogram is this much longer than the one before, so a percentile is accurate to about a tenth. */
const GROWTH = 1.2;

/** The last step begins after more than a year. */
const LAST_STEP = 140;

/** Returns the step of a histogram to which a number of milliseconds belongs. Step n begins at 1.2ⁿ ms, the first one at 0. */
export function latencyStep(ms: number): number {
  // 1e-9: rounding must not put a step's own beginning into the step before.
  return ms < 1 ? 0 : Math.min(LAST_STEP, Math.floor(Math.log(ms) / Math.log(GROWTH) + 1e-9));
}

/** Adds the counts of one histogram to another. */
export function addLatencies(to: number[], counts: readonly number[]): void {
  for (const [step, count] of counts.entries()) to[step] = (to[step] ?? 0) + count;
}

/**
 * Returns the milliseconds within which a share (0 to 1) of what a histogram counts was delivered: the middle of the step that
 * contains it. Null when it counts nothing.
 */
export function latencyPercentile(counts: readonly number[], share: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let left = Math.max(1, Math.ceil(total * share));
  const step = counts.findIndex((count) => {
    left -= count;
    return left <= 0;
  });
  return Math.round(GROWTH ** (step + 0.5) * 10) / 10;
}
