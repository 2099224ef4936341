import type { DeliveryJob } from './DeliveryJob.js';

/** Where deliveries of one connection type go. Each type's module has one. */
export interface Destination {
  readonly type: string;
  /** True when its deliveries are signed with the connection's secret, which a receiver's owner may then see and rotate. */
  readonly signs?: boolean;
  /** Milliseconds that one `deliver` takes at most; the lease under which it runs is longer. */
  readonly maxDurationMs: number;
  /**
   * Makes one attempt. A rejection is taken for a fault of ours: recorded, retried, and not held against the connection.
   * @param signal gives the attempt up; it should then come to `handBack` soon. All attempts of an engine share it.
   */
  deliver(job: DeliveryJob, signal: AbortSignal): Promise<DeliveryResult>;
  /** Where it can take many deliveries of one connection together. */
  readonly batch?: DestinationBatch;
}

/**
 * The ability to take deliveries of one connection in one request. Nothing waits for a batch to fill up: one is made of what
 * a worker holds anyway. Only first attempts go so; retries and what somebody asked for go by themselves.
 */
export interface DestinationBatch {
  /** From how many deliveries on it is worth it. */
  readonly from: number;
  /** How many it takes at most. */
  readonly max: number;
  /** Bytes of payload that it takes at most; more than one delivery can have. */
  readonly maxBytes: number;
  /**
   * Makes one attempt at each, in `maxDurationMs` at most; as with `deliver`, a rejection is taken for a fault of ours.
   * @returns a result for each job, in their order.
   */
  deliver(jobs: readonly DeliveryJob[], signal: AbortSignal): Promise<readonly DeliveryResult[]>;
}

/** What became of an attempt. */
export type DeliveryResult =
  | { readonly kind: 'delivered'; readonly attempt: AttemptReport }
  /** No good answer. `delayMs`: how long the other side asked to wait before the next attempt, instead of the usual time. */
  | { readonly kind: 'retry'; readonly attempt: AttemptReport; readonly delayMs?: number | null }
  /** Another attempt can't end differently; `attempt.error` explains it. */
  | { readonly kind: 'failed'; readonly attempt: AttemptReport }
  /** The other side is gone for good: this delivery fails, and the connection is disabled for `reason` (a sentence). */
  | { readonly kind: 'disable'; readonly attempt: AttemptReport; readonly reason: string }
  /**
   * The connection must be mended by a person first; the destination has changed its status itself, by its own rules.
   * No retry is spent. `attempt`: null when no request was made.
   */
  | { readonly kind: 'hold'; readonly attempt: AttemptReport | null; readonly reason: string }
  /** A rate limit: the whole connection waits for so many milliseconds. No attempt is spent or recorded. */
  | { readonly kind: 'throttled'; readonly forMs: number }
  /**
   * Something of ours that it needs is out of order, such as name resolution: no attempt is spent or recorded, and this
   * process leaves the connection alone for so many milliseconds. `reason` is for an operator.
   */
  | { readonly kind: 'unavailable'; readonly restMs: number; readonly reason: string }
  /** Given up because of the signal: the delivery is as it was before. No attempt is spent or recorded. */
  | { readonly kind: 'handBack' }
  /** Only of a batch: it could not go with the others, and is to be attempted by itself. No attempt is spent or recorded. */
  | { readonly kind: 'alone' };

/** One HTTP try, as a destination reports it. The engine knows when it began, and makes what others said storable. */
export interface AttemptReport {
  /** Milliseconds, from a clock that nobody sets. */
  readonly durationMs: number;
  /** Null when no answer came. */
  readonly statusCode: number | null;
  /** At most 16 KiB; null when no answer came. */
  readonly responseBody: string | null;
  /** Null when it worked. `code` is stable, `message` a sentence for a merchant. */
  readonly error: { readonly code: string; readonly message: string } | null;
}
