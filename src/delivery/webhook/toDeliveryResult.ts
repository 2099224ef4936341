import type { AttemptReport, DeliveryResult } from '../Destination.js';
import type { HttpOutcome } from '../http/httpOutcome.js';
import { decideOutcome } from '../schedule/decideOutcome.js';

interface Times {
  readonly startedAtMs: number;
  readonly nowMs: number;
  readonly retryAfterCapMs: number;
}

/** What an HTTP exchange means to the engine, with what is recorded of it. */
export function toDeliveryResult(outcome: HttpOutcome, { startedAtMs, nowMs, retryAfterCapMs }: Times): DeliveryResult {
  const decision = decideOutcome(outcome, { nowMs, retryAfterCapMs });
  switch (decision.kind) {
    case 'success':
      return { kind: 'delivered', attempt: report(outcome, startedAtMs, null) };
    case 'handBack':
      return { kind: 'abandoned' };
    case 'retry':
      return { kind: 'retry', attempt: report(outcome, startedAtMs, decision.reason), delayMs: decision.askedMs };
    case 'failure':
      return { kind: 'failed', attempt: report(outcome, startedAtMs, decision.reason) };
    case 'disable':
      return { kind: 'disable', attempt: report(outcome, startedAtMs, decision.reason), reason: decision.reason };
  }
}

function report(outcome: HttpOutcome, startedAtMs: number, reason: string | null): AttemptReport {
  const { durationMs } = outcome;
  const code = outcome.kind === 'error' ? outcome.code : `http_${outcome.statusCode}`;
  return {
    startedAtMs,
    durationMs,
    statusCode: outcome.kind === 'response' ? outcome.statusCode : null,
    responseBody: outcome.kind === 'response' ? outcome.body : null,
    error: reason === null ? null : { code, message: reason },
  };
}
