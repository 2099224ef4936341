import type { HttpOutcome } from '../http/httpOutcome.js';
import { nextRetryDelay } from './nextRetryDelay.js';
import { parseRetryAfter } from './parseRetryAfter.js';

/** What becomes of a delivery after an attempt. `reason` is a short sentence for a merchant. */
export type Decision =
  | { readonly kind: 'success' }
  /** Try again in so many milliseconds. */
  | { readonly kind: 'retry'; readonly delayMs: number; readonly reason: string }
  /** No more attempts: they are used up, or another one can't end differently. */
  | { readonly kind: 'failure'; readonly reason: string }
  /** The receiver is gone for good (410): fail this delivery and disable the connection. */
  | { readonly kind: 'disable'; readonly reason: string }
  /** We gave it up ourselves, as when the process stops: not an attempt, the delivery is due again at once. */
  | { readonly kind: 'handBack' };

export interface RetryRules {
  /** Number of the attempt that was made, counted from 1. */
  readonly attemptNumber: number;
  /** Milliseconds before each retry. */
  readonly delaysMs: readonly number[];
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** Longest Retry-After that is obeyed, in milliseconds. */
  readonly retryAfterCapMs: number;
  readonly random?: () => number;
}

/** Statuses whose Retry-After is obeyed: 429 (RFC 6585, 4) and 503 (RFC 9110, 15.6.4). */
const MAY_SAY_WHEN = new Set([429, 503]);

/** `Retry-After: 0` must not burn all retries within one second. */
const SHORTEST_ASKED_MS = 1_000;

/** Success is 2xx. All else is retried as long as there are retries, redirects too: they are never followed. */
export function decideOutcome(outcome: HttpOutcome, rules: RetryRules): Decision {
  if (outcome.kind === 'error') {
    if (outcome.code === 'aborted') return { kind: 'handBack' };
    if (outcome.code === 'invalid_url') return { kind: 'failure', reason: outcome.message };
    return retryOrFail(outcome.message, rules, null);
  }
  const { statusCode, headers } = outcome;
  if (statusCode >= 200 && statusCode < 300) return { kind: 'success' };
  if (statusCode === 410) return { kind: 'disable', reason: 'The receiver answered 410 Gone.' };
  const askedMs = MAY_SAY_WHEN.has(statusCode) ? parseRetryAfter(headers, rules.nowMs, rules.retryAfterCapMs) : null;
  const redirect = statusCode >= 300 && statusCode < 400;
  return retryOrFail(`The receiver answered ${statusCode}${redirect ? ', and redirects are not followed' : ''}.`, rules, askedMs);
}

function retryOrFail(reason: string, rules: RetryRules, askedMs: number | null): Decision {
  const usualMs = nextRetryDelay(rules.attemptNumber, rules.delaysMs, rules.random);
  if (usualMs === null) return { kind: 'failure', reason };
  const delayMs = askedMs === null ? usualMs : Math.max(askedMs, Math.min(SHORTEST_ASKED_MS, usualMs));
  return { kind: 'retry', delayMs, reason };
}
