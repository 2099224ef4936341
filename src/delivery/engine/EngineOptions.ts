import { DAY_MS, HOUR_MS } from '../../domain/duration.js';

/** The engine's settings. Durations are in milliseconds. */
export interface EngineOptions {
  /** Delay before the first retry, the second, and so on. */
  readonly retryDelaysMs: readonly number[];
  /** Attempts in flight at once in this process. `Lanes` says how slow attempts count. */
  readonly concurrency: number;
  readonly concurrencyPerConnection: number;
  /** Duration of a claim's lease; longer than any attempt. A killed worker's deliveries are due again after it. */
  readonly leaseMs: number;
  /** Longest time between two looks for due deliveries without a notification. */
  readonly pollMs: number;
  /** Time between two looks for deliveries to hold, release or cancel. */
  readonly sweepMs: number;
  readonly breaker: {
    /** Consecutive failed attempts after which a connection is paused. */
    readonly failures: number;
    /** Duration of the first pause. Each further pause is twice as long. After a pause, one attempt probes the connection. */
    readonly pauseMs: number;
    readonly maxPauseMs: number;
  };
  /** A connection whose attempts all failed for this long is disabled. */
  readonly disableAfterMs: number;
  /** A gap between two failures that is longer than this restarts that time, because nothing was attempted in between. */
  readonly silenceMs: number;
  /** A delivery that waited longer than this is not sent. */
  readonly maxAgeMs: number;
  /** Time between two additions to the delivery statistics. A killed process loses what it counted since the last one. */
  readonly countMs: number;
  /** Number of connections in the cache. */
  readonly cachedConnections: number;
  /** How long a stop waits for attempts in flight before it hands their deliveries back. */
  readonly stopGraceMs: number;
  /** How long a stop then waits for the database to store the results. */
  readonly stopFlushMs: number;
}

/** The settings that a process has unless it is told others. */
export const DEFAULTS: Omit<EngineOptions, 'leaseMs'> = {
  retryDelaysMs: [5_000, 300_000, 1_800_000, 7_200_000, 18_000_000],
  concurrency: 256,
  concurrencyPerConnection: 64,
  pollMs: 1_000,
  sweepMs: 1_000,
  breaker: { failures: 10, pauseMs: 5_000, maxPauseMs: HOUR_MS },
  disableAfterMs: 5 * DAY_MS,
  silenceMs: DAY_MS,
  maxAgeMs: 30 * DAY_MS,
  countMs: 5_000,
  cachedConnections: 5_000,
  stopGraceMs: 7_000,
  stopFlushMs: 2_000,
};
