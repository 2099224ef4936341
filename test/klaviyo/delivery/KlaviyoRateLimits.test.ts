import { describe, expect, it } from 'vitest';
import { KlaviyoRateLimits } from '../../../src/klaviyo/KlaviyoRateLimits.js';

const CONNECTION = 1;
/** The beginning of a minute, in ms since 1970. */
const START = 29_000_000 * 60_000;

/** Takes places until there are none; returns how many there were, and until when to wait. */
function takeAll(limits: KlaviyoRateLimits, atMs: number): { taken: number; untilMs: number } {
  for (let taken = 0; ; taken += 1) {
    const untilMs = limits.take(CONNECTION, atMs);
    if (untilMs !== null) return { taken, untilMs };
  }
}

function release(limits: KlaviyoRateLimits, count: number): void {
  for (let index = 0; index < count; index += 1) limits.release(CONNECTION);
}

const said = (remaining: number, reset: number) =>
  new Headers({ 'ratelimit-limit': '3500', 'ratelimit-remaining': String(remaining), 'ratelimit-reset': String(reset) });

describe("Klaviyo's limits for one connection", () => {
  it('leave room in a second for seconds that begin elsewhere, and for another process', () => {
    const limits = new KlaviyoRateLimits();
    expect(takeAll(limits, START + 900)).toEqual({ taken: 175, untilMs: START + 1_000 });
    release(limits, 175);
    // Klaviyo's second may span the end of ours and the beginning of the next: 350 in all.
    expect(takeAll(limits, START + 1_000)).toEqual({ taken: 175, untilMs: START + 2_000 });
  });

  it('let the whole minute be used, and no more', () => {
    const limits = new KlaviyoRateLimits();
    let all = 0;
    for (let second = 0; second < 60; second += 1) {
      const { taken } = takeAll(limits, START + second * 1_000);
      release(limits, taken);
      all += taken;
    }
    expect(all).toBe(3_500);
    expect(limits.take(CONNECTION, START + 59_999)).toBe(START + 60_000);
    expect(limits.take(CONNECTION, START + 60_000)).toBeNull();
  });

  it('count a request that is under way as a window begins in that window too', () => {
    const limits = new KlaviyoRateLimits();
    expect(takeAll(limits, START).taken).toBe(175);
    release(limits, 75);
    expect(takeAll(limits, START + 1_000).taken).toBe(75);
  });

  it('end where Klaviyo says so, less what is under way here and may be in another process', () => {
    const limits = new KlaviyoRateLimits();
    for (let index = 0; index < 10; index += 1) limits.take(CONNECTION, START);
    limits.heard(CONNECTION, said(21, 30), START);
    expect(limits.take(CONNECTION, START)).toBeNull();
    limits.heard(CONNECTION, said(20, 30), START);
    expect(limits.take(CONNECTION, START)).toBe(START + 30_000);
    expect(limits.take(CONNECTION, START + 30_000)).toBeNull();
  });

  it('of one hold up no other', () => {
    const limits = new KlaviyoRateLimits();
    takeAll(limits, START);
    expect(limits.take(CONNECTION + 1, START)).toBeNull();
  });
});
