import { parseRetryAfter } from '../domain/retryAfter.js';
import type { HttpOutcome } from './http/guardedHttp.js';

/** What an attempt came to, by the HTTP exchange: the kinds of `DeliveryResult`. `reason` is a short sentence for a merchant. */
type Outcome =
  | { readonly kind: 'delivered' }
  /** Try again, if there are retries left. `askedMs`: how long the receiver asked to wait; null when it did not. */
  | { readonly kind: 'retry'; readonly askedMs: number | null; readonly reason: string }
  /** Another attempt can't end differently. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** The receiver is gone for good (410): fail this delivery and disable the connection. */
  | { readonly kind: 'disable'; readonly reason: string }
  /** We gave it up ourselves, as when the process stops: no attempt, and the delivery is as it was before. */
  | { readonly kind: 'handBack' }
  /** Something of ours is out of order: no attempt either. */
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
export function decideOutcome(exchange: HttpOutcome, { nowMs, retryAfterCapMs }: OutcomeRules): Outcome {
  if (exchange.kind === 'error') {
    if (exchange.code === 'aborted') return { kind: 'handBack' };
    if (exchange.code === 'resolver') return { kind: 'unavailable', reason: exchange.message };
    if (exchange.code === 'invalid_url') return { kind: 'failed', reason: exchange.message };
    return { kind: 'retry', askedMs: null, reason: exchange.message };
  }
  const { statusCode, headers } = exchange;
  if (statusCode >= 200 && statusCode < 300) return { kind: 'delivered' };
  if (statusCode === 410) return { kind: 'disable', reason: 'The receiver answered 410 Gone.' };
  const askedMs = MAY_SAY_WHEN.has(statusCode) ? parseRetryAfter(headers, nowMs, retryAfterCapMs) : null;
  const redirect = statusCode >= 300 && statusCode < 400;
  return {
    kind: 'retry',
    askedMs,
    reason: `The receiver answered ${statusCode}${redirect ? ', and redirects are not followed' : ''}.`,
  };
}

/** Spread of ±20 %, so that what failed together does not come back together. */
const JITTER = 0.2;

/** `Retry-After: 0` must not burn all retries within one second. */
const SHORTEST_ASKED_MS = 1_000;

/**
 * How long to wait before a retry.
 *
 * @param retryNumber counted from 1.
 * @param delaysMs milliseconds before the first retry, the second, and so on.
 * @param random as Math.random: at least 0, below 1.
 * @param askedMs what the receiver asked for instead (Retry-After), or null.
 * @returns whole milliseconds, or null when there is no such retry: all are used up.
 */
export function nextRetryDelay(
  retryNumber: number,
  delaysMs: readonly number[],
  random: () => number = Math.random,
  askedMs: number | null = null,
): number | null {
  const delay = delaysMs[retryNumber - 1];
  if (delay === undefined) return null;
  const usualMs = Math.round(delay * (1 - JITTER + 2 * JITTER * random()));
  return askedMs === null ? usualMs : Math.max(askedMs, Math.min(SHORTEST_ASKED_MS, usualMs));
}
