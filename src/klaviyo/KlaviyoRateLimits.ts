/** Fixed windows of Klaviyo's events API, per account and app. */
export const KLAVIYO_EVENT_LIMITS = { perSecond: 350, perMinute: 3_500 } as const;

interface Window {
  /** Index of the second and of the minute that is being counted. */
  second: number;
  inSecond: number;
  minute: number;
  inMinute: number;
  inFlight: number;
  /** Nothing goes out before. */
  pausedUntilMs: number;
}

/**
 * Part of a second's limit that one process uses. Klaviyo's seconds begin at other moments than ours, so two of ours can
 * fall into one of its; and another process may send as much. It costs nothing: the minute's limit is a sixth of this pace.
 */
const PACE = 1 / 2;

/** For each request under way here, as many may be under way in another process. */
const SHARED_BY = 2;

/** Connections that are remembered; far more than can be busy within a minute. */
const MAX_CONNECTIONS = 10_000;

/**
 * Keeps each connection below Klaviyo's limits, as far as one process can: it counts what it sends, and believes what
 * `RateLimit-Remaining` and 429 say, which speak for all processes. Waiting costs no attempt and holds up no other connection.
 * Two processes together meet next to no 429; more of them meet some, and wait.
 *
 * Times are `performance.now()`: a clock that is set must not make anybody wait for as long as it jumped.
 */
export class KlaviyoRateLimits {
  readonly #windows = new Map<number, Window>();

  constructor(private readonly limits: { readonly perSecond: number; readonly perMinute: number } = KLAVIYO_EVENT_LIMITS) {}

  /** Takes a place for one request: null, or until when to wait. `release` must follow a null. */
  take(connectionId: number, nowMs: number): number | null {
    const window = this.#windowOf(connectionId, nowMs);
    if (nowMs < window.pausedUntilMs) return window.pausedUntilMs;
    if (window.inMinute >= this.limits.perMinute) return (window.minute + 1) * 60_000;
    if (window.inSecond >= Math.ceil(this.limits.perSecond * PACE)) return (window.second + 1) * 1_000;
    window.inSecond += 1;
    window.inMinute += 1;
    window.inFlight += 1;
    return null;
  }

  release(connectionId: number): void {
    const window = this.#windows.get(connectionId);
    if (window && window.inFlight > 0) window.inFlight -= 1;
  }

  /** Reads `RateLimit-Remaining` and `RateLimit-Reset` (seconds): what is under way has still to be taken from it. */
  heard(connectionId: number, headers: Headers, nowMs: number): void {
    const remaining = Number(headers.get('ratelimit-remaining') ?? Number.NaN);
    const resetSeconds = Number(headers.get('ratelimit-reset') ?? Number.NaN);
    if (!Number.isFinite(remaining) || !Number.isFinite(resetSeconds)) return;
    const window = this.#windowOf(connectionId, nowMs);
    if (remaining <= window.inFlight * SHARED_BY) this.pause(connectionId, nowMs + Math.min(resetSeconds, 60) * 1_000);
  }

  pause(connectionId: number, untilMs: number): void {
    const window = this.#windowOf(connectionId, performance.now());
    window.pausedUntilMs = Math.max(window.pausedUntilMs, untilMs);
  }

  #windowOf(connectionId: number, nowMs: number): Window {
    const second = Math.floor(nowMs / 1_000);
    const minute = Math.floor(nowMs / 60_000);
    let window = this.#windows.get(connectionId);
    if (!window) {
      if (this.#windows.size >= MAX_CONNECTIONS) this.#windows.delete(this.#windows.keys().next().value as number);
      window = { second, inSecond: 0, minute, inMinute: 0, inFlight: 0, pausedUntilMs: 0 };
      this.#windows.set(connectionId, window);
    }
    // What is under way as a window begins may reach Klaviyo within it.
    if (window.minute !== minute) Object.assign(window, { minute, inMinute: window.inFlight });
    if (window.second !== second) Object.assign(window, { second, inSecond: window.inFlight });
    return window;
  }
}
