import { databaseTrouble } from '../../database/databaseTrouble.js';
import type { AttemptTrigger } from '../../domain/Attempt.js';
import type { AttemptReport, DeliveryResult } from '../Destination.js';
import { nextRetryDelay } from '../retries.js';
import type { ClaimedDelivery } from './claimDeliveries.js';

/** The new state of a delivery that this process had claimed. */
export interface Settlement {
  readonly id: string;
  readonly connectionId: number;
  readonly lease: string;
  /** `handedBack`: the delivery is as if it had never been claimed. */
  readonly state: 'delivered' | 'retrying' | 'failed' | 'held' | 'cancelled' | 'expired' | 'handedBack';
  /** Milliseconds until the delivery is due, for `retrying`. */
  readonly waitMs: number;
  readonly retryCount: number;
  readonly trigger: AttemptTrigger;
  readonly orderingKey: string | null;
  /** Null when no attempt is recorded. */
  readonly attempt: AttemptReport | null;
  /** When the attempt began, in ms since 1970 by Postgres's clock. */
  readonly startedAtMs: number | null;
  /** When the delivery was published or last retried by hand, by the same clock. */
  readonly agingSinceMs: number;
  /** Milliseconds to add to `performance.now()` for the time by that clock. */
  readonly clockOffsetMs: number;
  /** What the attempt says about the connection's health; null for nothing. */
  readonly verdict: 'good' | 'bad' | null;
  readonly probe: boolean;
  readonly failing: boolean;
  /** Milliseconds for which the destination throttles the connection. */
  readonly throttledForMs: number | null;
  /** Milliseconds for which this process pauses the connection because something on our side does not work. */
  readonly restMs: number | null;
  /** The reason to disable the connection, or null. */
  readonly disableReason: string | null;
}

/** Converts an attempt's result to a settlement. `startedAt` is `performance.now()` at the beginning of the attempt. */
export function toSettlement(
  claim: ClaimedDelivery,
  result: DeliveryResult,
  startedAt: number,
  retryDelaysMs: readonly number[],
): Settlement {
  const startedAtMs = claim.clockOffsetMs + startedAt;
  switch (result.kind) {
    case 'delivered':
      return { ...settlement(claim), state: 'delivered', attempt: clean(result.attempt), startedAtMs, verdict: 'good' };
    case 'retry': {
      const next = retryOrFail(claim, askedMs(result.delayMs), retryDelaysMs);
      return { ...next, attempt: clean(result.attempt), startedAtMs, verdict: 'bad' };
    }
    case 'failed':
      return { ...settlement(claim), state: 'failed', attempt: clean(result.attempt), startedAtMs };
    case 'disable': {
      const disableReason = cleanText(result.reason);
      return { ...settlement(claim), state: 'failed', attempt: clean(result.attempt), startedAtMs, disableReason };
    }
    case 'hold': {
      const attempt = result.attempt && clean(result.attempt);
      return { ...settlement(claim), state: 'held', attempt, startedAtMs: attempt && startedAtMs };
    }
    case 'throttled':
      return { ...handBack(claim), throttledForMs: clampInteger(result.forMs) };
    case 'unavailable':
      return { ...handBack(claim), restMs: clampInteger(result.restMs) };
    case 'handBack':
    case 'alone':
      return handBack(claim);
  }
}

/** Returns how long the destination asked to wait; null for an invalid time. */
function askedMs(delayMs: number | null | undefined): number | null {
  return typeof delayMs === 'number' && Number.isFinite(delayMs) ? clampInteger(delayMs) : null;
}

/** Returns the delivery to the state before the claim. */
export function handBack(claim: ClaimedDelivery): Settlement {
  return { ...settlement(claim), state: 'handedBack' };
}

/** Cancels a delivery whose subscription is gone. */
export function cancel(claim: ClaimedDelivery): Settlement {
  return { ...settlement(claim), state: 'cancelled' };
}

/** Expires a delivery that waited longer than `maxAgeMs`. */
export function expire(claim: ClaimedDelivery): Settlement {
  return { ...settlement(claim), state: 'expired' };
}

/** Milliseconds for which a connection is paused when our own database could not be asked about it. */
const DATABASE_REST_MS = 2_000;

/**
 * Converts an internal fault to a settlement. A fault says nothing about the connection's health. When the database was not
 * available, nothing was attempted. After any other fault the delivery is retried as after any other failure.
 */
export function ownFault(
  claim: ClaimedDelivery,
  error: unknown,
  startedAt: number,
  retryDelaysMs: readonly number[],
): Settlement {
  if (databaseTrouble(error) || isLockTimeout(error)) return { ...handBack(claim), restMs: DATABASE_REST_MS };
  const durationMs = clampInteger(performance.now() - startedAt);
  return {
    ...retryOrFail(claim, null, retryDelaysMs),
    attempt: { durationMs, statusCode: null, responseBody: null, error: OWN_FAULT },
    startedAtMs: claim.clockOffsetMs + startedAt,
  };
}

/** 55P03: another transaction holds a row locked for longer than `lock_timeout`. */
export function isLockTimeout(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === '55P03';
}

const OWN_FAULT = { code: 'internal', message: 'It could not be sent because of a fault on our side.' };

/**
 * Simplifies a result that Postgres refuses to store: first it drops the response, then the whole attempt. Returns null when
 * nothing is left to drop.
 */
export function simplify(refused: Settlement): Settlement | null {
  if (refused.attempt === null) return null;
  if (refused.attempt.error?.code === UNSTORABLE.code) return { ...refused, attempt: null, startedAtMs: null };
  return { ...refused, attempt: { durationMs: 0, statusCode: null, responseBody: null, error: UNSTORABLE } };
}

const UNSTORABLE = { code: 'unstorable', message: 'The answer could not be stored, because of a fault on our side.' };

/** Retries or fails a delivery. A failed manual attempt that replaced a pending retry uses up no retry; that retry follows. */
function retryOrFail(claim: ClaimedDelivery, askedMs: number | null, retryDelaysMs: readonly number[]): Settlement {
  const replacesRetry = claim.trigger === 'manual' && claim.wasRetrying && claim.retryCount > 0;
  const retryNumber = replacesRetry ? claim.retryCount : claim.retryCount + 1;
  const waitMs = nextRetryDelay(retryNumber, retryDelaysMs, Math.random, askedMs);
  if (waitMs === null) return { ...settlement(claim), state: 'failed' };
  return { ...settlement(claim), state: 'retrying', waitMs, retryCount: retryNumber };
}

function settlement(claim: ClaimedDelivery): Settlement {
  const { id, connectionId, lease, retryCount, trigger, orderingKey, probe, failing, agingSinceMs, clockOffsetMs } = claim;
  return {
    ...{ id, connectionId, lease, retryCount, trigger, orderingKey, probe, failing, agingSinceMs, clockOffsetMs },
    state: 'handedBack',
    waitMs: 0,
    attempt: null,
    startedAtMs: null,
    verdict: null,
    throttledForMs: null,
    restMs: null,
    disableReason: null,
  };
}

const MAX_BODY_CHARACTERS = 16_384;
const MAX_MESSAGE_CHARACTERS = 2_000;
const MAX_CODE_CHARACTERS = 100;
const MAX_INTEGER = 2 ** 31 - 1;

/** Makes an attempt's report storable, because it contains text from the receiver. */
export function clean({ durationMs, statusCode, responseBody, error }: AttemptReport): AttemptReport {
  return {
    durationMs: clampInteger(durationMs),
    statusCode: statusCode === null ? null : clampInteger(statusCode),
    responseBody: responseBody === null ? null : cleanText(responseBody, MAX_BODY_CHARACTERS),
    error: error && {
      code: cleanText(String(error.code), MAX_CODE_CHARACTERS),
      message: cleanText(String(error.message), MAX_MESSAGE_CHARACTERS),
    },
  };
}

/** Returns text that Postgres can store: without NUL and lone surrogates, and at most `max` characters. */
function cleanText(text: string, max = MAX_MESSAGE_CHARACTERS): string {
  return (text.length > max ? text.slice(0, max) : text).replaceAll('\0', '').toWellFormed();
}

function clampInteger(value: number): number {
  return Number.isFinite(value) ? Math.min(MAX_INTEGER, Math.max(0, Math.round(value))) : 0;
}
