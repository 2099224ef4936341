import { parseRetryAfter } from '../domain/retryAfter.js';
import type { HttpOutcome } from './http/guardedHttp.js';

/** The outcome of an HTTP exchange, with the kinds of `DeliveryResult`. `reason` is a short sentence for a merchant. */
type Outcome =
  | { readonly kind: 'delivered' }
  /** Retry if retries are left. `askedMs`: how long the receiver asked to wait; null when it did not ask. */
  | { readonly kind: 'retry'; readonly askedMs: number | null; readonly reason: string }
  /** A retry cannot succeed. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** The receiver is gone for good (410): the delivery fails and the connection is disabled. */
  | { readonly kind: 'disable'; readonly reason: string }
  /**
   * This process aborted the exchange, for example because it stops. It does not count as an attempt, and the delivery stays as
   * it was before.
   */
  | { readonly kind: 'handBack' }
  /** Something on our side does not work. It does not count as an attempt. */
  | { readonly kind: 'unavailable'; readonly reason: string };

export interface OutcomeRules {
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** Longest Retry-After that is honoured, in milliseconds. */
  readonly retryAfterCapMs: number;
}

/** Statuses whose Retry-After is honoured: 429 (RFC 6585, 4) and 503 (RFC 9110, 15.6.4). */
const MAY_SAY_WHEN = new Set([429, 503]);

/**
 * Decides the outcome of an exchange. A 2xx status is success, 410 disables the connection, and every other status is retried,
 * including redirects, which are never followed.
 */
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

/** ±20 %, so that deliveries that failed together are not retried together. */
const JITTER = 0.2;

/** `Retry-After: 0` must not use up all retries within one second. */
const SHORTEST_ASKED_MS = 1_000;

/**
 * Returns how long to wait before a retry.
 *
 * @param retryNumber starts at 1.
 * @param delaysMs milliseconds before the first retry, the second, and so on.
 * @param random like Math.random: at least 0, below 1.
 * @param askedMs what the receiver asked for (Retry-After), or null.
 * @returns whole milliseconds, or null when all retries are used up.
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
