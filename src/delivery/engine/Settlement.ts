import type { AttemptTrigger } from '../../domain/Attempt.js';
import type { AttemptReport } from '../Destination.js';

/** What is to be written about a delivery that this process had claimed. */
export interface Settlement {
  readonly id: string;
  readonly connectionId: number;
  readonly lease: string;
  /** `back`: as if it had never been claimed. */
  readonly state: 'delivered' | 'retrying' | 'failed' | 'held' | 'cancelled' | 'back';
  /** Milliseconds until it is due; for `retrying`. */
  readonly waitMs: number;
  readonly retryCount: number;
  readonly trigger: AttemptTrigger;
  /** Null when there is no attempt to record. */
  readonly attempt: AttemptReport | null;
  /** What it says about the connection: null for nothing. */
  readonly verdict: 'good' | 'bad' | null;
  readonly probe: boolean;
  readonly ailing: boolean;
  /** Milliseconds since 1970 until which the connection is throttled. */
  readonly throttledUntilMs: number | null;
  /** Why the connection is to be disabled. */
  readonly disableReason: string | null;
}
