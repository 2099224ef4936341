import { describe, expect, it, vi } from 'vitest';
import { columnIdentity } from '../../../src/database/columnIdentity.js';
import { newId } from '../../../src/database/newId.js';
import { KlaviyoDestination } from '../../../src/klaviyo/KlaviyoDestination.js';
import { KlaviyoRateLimits } from '../../../src/klaviyo/KlaviyoRateLimits.js';
import { testCipher } from '../../support/testCipher.js';
import { parcelEvent } from '../../support/webhookFlow.js';

const CONNECTION = 1;
/** The beginning of a minute. */
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

describe('A clock that is set', () => {
  it('makes nobody wait for as long as it jumped', async () => {
    const klaviyo = new KlaviyoDestination({
      apiUrl: 'http://127.0.0.1:1',
      revision: '2025-01-15',
      fetch: async () => new Response('', { status: 429, headers: { 'retry-after': '2' } }),
      cipher: testCipher,
      limits: new KlaviyoRateLimits(),
      backfillAfterMs: 86_400_000,
      accessToken: async () => ({ token: 'a token', version: 1, accountId: null }),
      scopeMissing: async () => {},
    });
    const deliver = () => {
      const id = newId();
      const recipient = testCipher.encrypt('{"email":"anna@example.com"}', columnIdentity.recipient(id));
      const event = {
        id,
        eventType: 'parcels.event.created',
        payload: JSON.stringify(parcelEvent()),
        recipient,
        ...{ occurredAt: null, value: null, valueCurrency: null, properties: null, isTest: false },
        createdAt: new Date(),
      };
      const job = { deliveryId: newId(), attemptNumber: 1, event, connection: { id: CONNECTION } as never };
      return klaviyo.deliver(job, new AbortController().signal);
    };
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 30 * 86_400_000 });
    try {
      expect(await deliver()).toEqual({ kind: 'throttled', forMs: 2_000 });
    } finally {
      vi.useRealTimers();
    }
    const after = await deliver();
    expect(after).toMatchObject({ kind: 'throttled' });
    expect('forMs' in after ? after.forMs : 0).toBeLessThanOrEqual(2_000);
  });
});
