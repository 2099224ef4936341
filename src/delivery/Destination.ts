import type { DeliveryJob } from './DeliveryJob.js';

/** Sends the deliveries of one connection type. Each connection type's module provides one. */
export interface Destination {
  readonly type: string;
  /** True when the connection's signing secret signs its deliveries. The API then lets a caller reveal and rotate that secret. */
  readonly signs?: boolean;
  /** Maximum duration of one `deliver` in milliseconds. The delivery's lease is longer. */
  readonly maxDurationMs: number;
  /**
   * Makes one attempt. A rejection counts as an internal fault: it is recorded and retried, and does not count against the
   * connection.
   * @param signal aborts the attempt, which should then soon resolve to `handBack`. All attempts of an engine share it.
   */
  deliver(job: DeliveryJob, signal: AbortSignal): Promise<DeliveryResult>;
  /** Set when the destination can send many deliveries of one connection in one request. */
  readonly batch?: DestinationBatch;
}

/**
 * Sends many deliveries of one connection in one request. A batch never waits to fill up: it consists of deliveries that the
 * worker already holds. Only first attempts go in batches; retries and manual attempts go alone.
 */
export interface DestinationBatch {
  /** Smallest number of deliveries for which a batch is used. */
  readonly from: number;
  /** Maximum number of deliveries in a batch. */
  readonly max: number;
  /** Maximum payload bytes in a batch; more than a single delivery can have. */
  readonly maxBytes: number;
  /**
   * Makes one attempt for each job, in `maxDurationMs` at most. A rejection counts as an internal fault, as with `deliver`.
   * @returns one result for each job, in the same order.
   */
  deliver(jobs: readonly DeliveryJob[], signal: AbortSignal): Promise<readonly DeliveryResult[]>;
}

/** The result of an attempt. */
export type DeliveryResult =
  | { readonly kind: 'delivered'; readonly attempt: AttemptReport }
  /** The attempt failed and may be retried. `delayMs`: how long the receiver asked to wait, instead of the usual delay. */
  | { readonly kind: 'retry'; readonly attempt: AttemptReport; readonly delayMs?: number | null }
  /** A retry cannot succeed. `attempt.error` says why. */
  | { readonly kind: 'failed'; readonly attempt: AttemptReport }
  /** The receiver is gone for good. The delivery fails, and the connection is disabled with `reason` (a sentence). */
  | { readonly kind: 'disable'; readonly attempt: AttemptReport; readonly reason: string }
  /**
   * A person must repair the connection first. The destination has already changed the connection's status. No retry is used up.
   * `attempt` is null when no request was made.
   */
  | { readonly kind: 'hold'; readonly attempt: AttemptReport | null; readonly reason: string }
  /**
   * The receiver's rate limit is reached. The whole connection waits for `forMs` milliseconds. No attempt is used up or recorded.
   */
  | { readonly kind: 'throttled'; readonly forMs: number }
  /**
   * Something on our side does not work, such as name resolution. No attempt is used up or recorded, and this process pauses the
   * connection for `restMs` milliseconds. `reason` is for an operator.
   */
  | { readonly kind: 'unavailable'; readonly restMs: number; readonly reason: string }
  /** The signal aborted the attempt. The delivery stays as it was before. No attempt is used up or recorded. */
  | { readonly kind: 'handBack' }
  /** For batches only: the delivery could not go in the batch and is attempted alone. No attempt is used up or recorded. */
  | { readonly kind: 'alone' };

/** One HTTP attempt as a destination reports it. The engine adds the start time and makes received text storable. */
export interface AttemptReport {
  /** Milliseconds by a monotonic clock. */
  readonly durationMs: number;
  /** Null without a response. */
  readonly statusCode: number | null;
  /** At most 16 KiB. Null without a response. */
  readonly responseBody: string | null;
  /** Null on success. `code` is stable; `message` is a sentence for a merchant. */
  readonly error: { readonly code: string; readonly message: string } | null;
}
