export interface RateLimit {
  perSecond?: number;
  perMinute: number;
}

export interface RateVerdict {
  allowed: boolean;
  /** Whole seconds until the full window restarts; 0 when the request is allowed. */
  retryAfter: number;
  /** State of the one-minute window, which Klaviyo's headers describe. */
  limit: number;
  remaining: number;
  reset: number;
}

const MOST_KEYS = 10_000;

/** Fixed windows of one second and one minute, aligned with the clock. A refused request counts in neither. */
export class RateWindows {
  private counts = new Map<string, { window: number; count: number }>();

  constructor(private readonly now: () => number) {}

  /** Counts one request in both windows, or in none. */
  take(key: string, limit: RateLimit): RateVerdict {
    const minute = this.look(`${key} m`, 60_000, limit.perMinute);
    const second = limit.perSecond === undefined ? undefined : this.look(`${key} s`, 1_000, limit.perSecond);
    const full = [minute, second].filter((window) => window !== undefined && window.remaining === 0);
    if (full.length === 0) for (const window of [minute, second]) window?.take();
    return {
      allowed: full.length === 0,
      retryAfter: Math.max(0, ...full.map((window) => window?.reset ?? 0)),
      limit: limit.perMinute,
      remaining: full.length === 0 ? minute.remaining - 1 : minute.remaining,
      reset: minute.reset,
    };
  }

  /** Returns the state for the headers without counting a request. */
  peek(key: string, limit: RateLimit): RateVerdict {
    const { remaining, reset } = this.look(`${key} m`, 60_000, limit.perMinute);
    return { allowed: true, retryAfter: 0, limit: limit.perMinute, remaining, reset };
  }

  private look(key: string, size: number, most: number) {
    const now = this.now();
    const window = Math.floor(now / size);
    const entry = this.counts.get(key);
    const count = entry?.window === window ? entry.count : 0;
    return {
      remaining: Math.max(0, most - count),
      reset: Math.max(1, Math.ceil(((window + 1) * size - now) / 1_000)),
      take: () => {
        if (!entry && this.counts.size >= MOST_KEYS) this.counts.clear();
        this.counts.set(key, { window, count: count + 1 });
      },
    };
  }
}
