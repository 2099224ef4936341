/** What can be set about an engine. Durations in milliseconds. */
export interface EngineOptions {
  /** Before the first retry, the second, and so on. */
  readonly retryDelaysMs: readonly number[];
  /** Attempts that this process makes at once. */
  readonly concurrency: number;
  readonly concurrencyPerConnection: number;
  /** How long a claim holds; longer than an attempt can take. A killed worker's deliveries are due again after it. */
  readonly leaseMs: number;
  /** Longest wait before looking for due deliveries without having been told of any. */
  readonly pollMs: number;
  /** Between two looks for what has to be held, released or cancelled. */
  readonly sweepMs: number;
  readonly breaker: {
    /** Consecutive attempts without a good answer after which a connection is paused. */
    readonly failures: number;
    /** The first pause; each further one is twice as long. After it, one attempt probes. */
    readonly pauseMs: number;
    readonly maxPauseMs: number;
  };
  /** A connection that only failed for so long is disabled. */
  readonly disableAfterMs: number;
  /** Deliveries per second and connection when held ones are released. */
  readonly releasePerSecond: number;
  /** How long a stop waits for attempts under way before it hands them back. */
  readonly stopGraceMs: number;
  /** How long after that it waits for the database to take the results. */
  readonly stopFlushMs: number;
}

/** Time for a result to reach the database, on top of what an attempt takes. */
const LEASE_MARGIN_MS = 15_000;

export function resolveEngineOptions(given: Partial<EngineOptions>, longestAttemptMs: number): EngineOptions {
  return {
    retryDelaysMs: [5_000, 300_000, 1_800_000, 7_200_000, 18_000_000],
    concurrency: 256,
    concurrencyPerConnection: 64,
    leaseMs: longestAttemptMs + LEASE_MARGIN_MS,
    pollMs: 1_000,
    sweepMs: 1_000,
    breaker: { failures: 10, pauseMs: 5_000, maxPauseMs: 60_000 },
    disableAfterMs: 5 * 86_400_000,
    releasePerSecond: 200,
    stopGraceMs: 7_000,
    stopFlushMs: 2_000,
    ...given,
  };
}
