import type { DeliveryResult } from '../Destination.js';
import { nextRetryDelay } from '../schedule/nextRetryDelay.js';
import type { ClaimedDelivery } from './ClaimedDelivery.js';
import type { Settlement } from './Settlement.js';

/** What an attempt's result makes of the delivery. */
export function toSettlement(claim: ClaimedDelivery, result: DeliveryResult, retryDelaysMs: readonly number[]): Settlement {
  switch (result.kind) {
    case 'delivered':
      return { ...settlement(claim), state: 'delivered', attempt: result.attempt, verdict: 'good' };
    case 'retry':
      return { ...retryOrFail(claim, result.delayMs ?? null, retryDelaysMs), attempt: result.attempt, verdict: 'bad' };
    case 'failed':
      return { ...settlement(claim), state: 'failed', attempt: result.attempt };
    case 'disable':
      return { ...settlement(claim), state: 'failed', attempt: result.attempt, disableReason: result.reason };
    case 'hold':
      return { ...settlement(claim), state: 'held', attempt: result.attempt };
    case 'throttled':
      return { ...handBack(claim), throttledUntilMs: result.untilMs };
    case 'abandoned':
      return handBack(claim);
  }
}

/** The delivery as it was before it was claimed. */
export function handBack(claim: ClaimedDelivery): Settlement {
  return { ...settlement(claim), state: 'back' };
}

/** The delivery of a subscription that is gone. */
export function cancel(claim: ClaimedDelivery): Settlement {
  return { ...settlement(claim), state: 'cancelled' };
}

/** A fault of ours: retried like any other, but it says nothing about the connection. */
export function ownFault(claim: ClaimedDelivery, startedAtMs: number, retryDelaysMs: readonly number[]): Settlement {
  const error = { code: 'internal', message: 'It could not be sent because of a fault on our side.' };
  const durationMs = Date.now() - startedAtMs;
  return {
    ...retryOrFail(claim, null, retryDelaysMs),
    attempt: { startedAtMs, durationMs, statusCode: null, responseBody: null, error },
  };
}

/** A manual attempt that took the place of a pending retry spends none: that retry comes again. */
function retryOrFail(claim: ClaimedDelivery, askedMs: number | null, retryDelaysMs: readonly number[]): Settlement {
  const replacesRetry = claim.trigger === 'manual' && claim.wasRetrying && claim.retryCount > 0;
  const retryNumber = replacesRetry ? claim.retryCount : claim.retryCount + 1;
  const waitMs = nextRetryDelay(retryNumber, retryDelaysMs, Math.random, askedMs);
  if (waitMs === null) return { ...settlement(claim), state: 'failed' };
  return { ...settlement(claim), state: 'retrying', waitMs, retryCount: retryNumber };
}

function settlement(claim: ClaimedDelivery): Settlement {
  const { id, connectionId, lease, retryCount, trigger, probe, ailing } = claim;
  return {
    id,
    connectionId,
    lease,
    state: 'back',
    waitMs: 0,
    retryCount,
    trigger,
    attempt: null,
    verdict: null,
    probe,
    ailing,
    throttledUntilMs: null,
    disableReason: null,
  };
}
