import type { AttemptTrigger } from '../../domain/Attempt.js';
import type { EventToDeliver } from '../DeliveryJob.js';

/** A delivery that this process holds under a lease. */
export interface ClaimedDelivery {
  readonly id: string;
  readonly connectionId: number;
  /** Of the connection's row; another value whenever it was changed. */
  readonly connectionVersion: string;
  readonly lease: string;
  /** `performance.now()` at which the lease is taken to be over, a little early. */
  readonly leaseEndsAt: number;
  readonly attemptCount: number;
  readonly retryCount: number;
  /** True while it waited for an automatic retry, though somebody may have brought it forward. */
  readonly wasRetrying: boolean;
  readonly trigger: AttemptTrigger;
  readonly event: EventToDeliver;
  /** The one attempt that finds out whether a paused connection works again. */
  readonly probe: boolean;
  /** False when its subscription is gone: it is to be cancelled instead. */
  readonly wanted: boolean;
  /** True when failures of the connection are on record. */
  readonly ailing: boolean;
}
