import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextRetryDelay } from '../../src/delivery/retries.js';

const delays = fc.array(fc.integer({ min: 0, max: 86_400_000 }), { maxLength: 8 });
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('nextRetryDelay', () => {
  it('uses the first delay for the first retry, and so on', () => {
    const usual = [5_000, 300_000, 1_800_000];
    expect([1, 2, 3, 4].map((attempt) => nextRetryDelay(attempt, usual, () => 0.5))).toEqual([5_000, 300_000, 1_800_000, null]);
  });

  it('spreads from 20 % less to 20 % more', () => {
    expect(nextRetryDelay(1, [5_000], () => 0)).toBe(4_000);
    expect(nextRetryDelay(1, [5_000], () => 1)).toBe(6_000);
  });

  it('waits as long as the receiver asks instead, and the retries still end', () => {
    expect(nextRetryDelay(1, [5_000], () => 0.5, 60_000)).toBe(60_000);
    expect(nextRetryDelay(1, [5_000], () => 0.5, 2_000)).toBe(2_000);
    expect(nextRetryDelay(2, [5_000], () => 0.5, 2_000)).toBeNull();
  });

  it('does not let Retry-After: 0 use up all retries at once', () => {
    expect(nextRetryDelay(1, [5_000], () => 0.5, 0)).toBe(1_000);
    expect(nextRetryDelay(1, [50], () => 0.5, 0)).toBe(50);
  });

  it('stays within the spread, in whole milliseconds, and ends with the list', () => {
    fc.assert(
      fc.property(delays, fc.integer({ min: 1, max: 12 }), random, (delaysMs, attempt, value) => {
        const delay = nextRetryDelay(attempt, delaysMs, () => value);
        const usual = delaysMs[attempt - 1];
        if (usual === undefined) return delay === null;
        return delay !== null && Number.isInteger(delay) && delay >= Math.floor(usual * 0.8) && delay <= Math.ceil(usual * 1.2);
      }),
    );
  });
});
