import type { HttpOutcome } from '../http/httpOutcome.js';
import { parseRetryAfter } from './parseRetryAfter.js';

/** What one HTTP exchange means for a delivery. `reason` is a short sentence for a merchant. */
export type Decision =
  | { readonly kind: 'success' }
  /** Try again, if there are retries left. `askedMs`: how long the receiver asked to wait; null when it did not. */
  | { readonly kind: 'retry'; readonly askedMs: number | null; readonly reason: string }
  /** Another attempt can't end differently. */
  | { readonly kind: 'failure'; readonly reason: string }
  /** The receiver is gone for good (410): fail this delivery and disable the connection. */
  | { readonly kind: 'disable'; readonly reason: string }
  /** We gave it up ourselves, as when the process stops: not an attempt, the delivery is due again at once. */
  | { readonly kind: 'handBack' }
  /** Something of ours is out of order: not an attempt either. */
  | { readonly kind: 'unavailable'; readonly reason: string };

export interface OutcomeRules {
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** Longest Retry-After that is obeyed, in milliseconds. */
  readonly retryAfterCapMs: number;
}

/** Statuses whose Retry-After is obeyed: 429 (RFC 6585, 4) and 503 (RFC 9110, 15.6.4). */
const MAY_SAY_WHEN = new Set([429, 503]);

/** Success is 2xx. All else is worth a retry, redirects too: they are never followed. */
export function decideOutcome(outcome: HttpOutcome, { nowMs, retryAfterCapMs }: OutcomeRules): Decision {
  if (outcome.kind === 'error') {
    if (outcome.code === 'aborted') return { kind: 'handBack' };
    if (outcome.code === 'resolver') return { kind: 'unavailable', reason: outcome.message };
    if (outcome.code === 'invalid_url') return { kind: 'failure', reason: outcome.message };
    return { kind: 'retry', askedMs: null, reason: outcome.message };
  }
  const { statusCode, headers } = outcome;
  if (statusCode >= 200 && statusCode < 300) return { kind: 'success' };
  if (statusCode === 410) return { kind: 'disable', reason: 'The receiver answered 410 Gone.' };
  const askedMs = MAY_SAY_WHEN.has(statusCode) ? parseRetryAfter(headers, nowMs, retryAfterCapMs) : null;
  const redirect = statusCode >= 300 && statusCode < 400;
  return {
    kind: 'retry',
    askedMs,
    reason: `The receiver answered ${statusCode}${redirect ? ', and redirects are not followed' : ''}.`,
  };
}
