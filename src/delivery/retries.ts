import type { HttpOutcome, ResponseHeaders } from './http/guardedHttp.js';

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

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const TIME = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)`;

/** RFC 9110, 5.6.7: the form to send, and the two obsolete ones that must be understood. */
const DATE_FORMS = [
  new RegExp(String.raw`^[a-z]{3}, (?<day>\d\d) (?<month>[a-z]{3}) (?<year>\d{4}) ${TIME} gmt$`),
  new RegExp(String.raw`^[a-z]{6,9}, (?<day>\d\d)-(?<month>[a-z]{3})-(?<year>\d\d) ${TIME} gmt$`),
  new RegExp(String.raw`^[a-z]{3} (?<month>[a-z]{3}) (?<day>[ \d]\d) ${TIME} (?<year>\d{4})$`),
];

/**
 * Reads Retry-After (RFC 9110, 10.2.3): seconds, or a date. Header names are matched in any case.
 *
 * @param nowMs milliseconds since 1970.
 * @param capMs more than this is taken for this.
 * @returns milliseconds to wait, between 0 and the cap; null when the header is absent, is neither a number of seconds nor
 *   a date, or names a time that is over.
 */
export function parseRetryAfter(headers: ResponseHeaders, nowMs: number, capMs: number): number | null {
  const value = headerValue(headers, 'retry-after')?.trim();
  if (!value) return null;
  // Date.parse is no help: it takes "-5" and "1.5" for dates, and the asctime form for local time.
  const wait = /^\d+$/.test(value) ? Number(value) * 1_000 : parseHttpDate(value, nowMs) - nowMs;
  return wait >= 0 ? Math.min(wait, capMs) : null;
}

function headerValue(headers: ResponseHeaders, wanted: string): string | undefined {
  const name = wanted in headers ? wanted : Object.keys(headers).find((key) => key.toLowerCase() === wanted);
  const value = name === undefined ? undefined : headers[name];
  return typeof value === 'object' ? value[0] : value;
}

/** @returns milliseconds since 1970, NaN for what isn't an HTTP-date. */
function parseHttpDate(text: string, nowMs: number): number {
  const lower = text.toLowerCase();
  for (const form of DATE_FORMS) {
    const parts = form.exec(lower)?.groups;
    if (!parts) continue;
    const month = MONTHS.indexOf(parts.month ?? '');
    if (month < 0) return Number.NaN;
    const [day, hour, minute, second] = [parts.day, parts.hour, parts.minute, parts.second].map(Number) as [
      number,
      number,
      number,
      number,
    ];
    return Date.UTC(fullYear(parts.year ?? '', nowMs), month, day, hour, minute, second);
  }
  return Number.NaN;
}

/** A two-digit year more than 50 years ahead is the past one with the same digits (RFC 9110, 5.6.7). */
function fullYear(digits: string, nowMs: number): number {
  if (digits.length === 4) return Number(digits);
  const now = new Date(nowMs).getUTCFullYear();
  const year = now - (now % 100) + Number(digits);
  return year > now + 50 ? year - 100 : year;
}
