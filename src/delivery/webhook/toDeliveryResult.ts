import type { AttemptReport, DeliveryResult } from '../Destination.js';
import type { HttpOutcome } from '../http/httpOutcome.js';
import { decideOutcome } from '../schedule/decideOutcome.js';

/** How long a connection is left alone while our own resolver does not answer. */
const REST_MS = 5_000;

interface Times {
  readonly nowMs: number;
  readonly retryAfterCapMs: number;
}

/** What an HTTP exchange means to the engine, with what is recorded of it. */
export function toDeliveryResult(outcome: HttpOutcome, { nowMs, retryAfterCapMs }: Times): DeliveryResult {
  const decision = decideOutcome(outcome, { nowMs, retryAfterCapMs });
  switch (decision.kind) {
    case 'success':
      return { kind: 'delivered', attempt: report(outcome, null) };
    case 'handBack':
      return { kind: 'abandoned' };
    case 'unavailable':
      return { kind: 'unavailable', restMs: REST_MS, reason: decision.reason };
    case 'retry':
      return { kind: 'retry', attempt: report(outcome, decision.reason), delayMs: decision.askedMs };
    case 'failure':
      return { kind: 'failed', attempt: report(outcome, decision.reason) };
    case 'disable':
      return { kind: 'disable', attempt: report(outcome, decision.reason), reason: decision.reason };
  }
}

function report(outcome: HttpOutcome, reason: string | null): AttemptReport {
  const { durationMs } = outcome;
  const code = outcome.kind === 'error' ? outcome.code : `http_${outcome.statusCode}`;
  return {
    durationMs,
    statusCode: outcome.kind === 'response' ? outcome.statusCode : null,
    responseBody: outcome.kind === 'response' ? outcome.body : null,
    error: reason === null ? null : { code, message: reason },
  };
}
