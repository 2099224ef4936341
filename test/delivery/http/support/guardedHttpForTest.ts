import { onTestFinished } from 'vitest';
import {
  createGuardedHttp,
  type GuardedHttp,
  type GuardedHttpOptions,
  type HttpError,
  type HttpOutcome,
  type HttpRequest,
  type HttpResponse,
} from '../../../../src/delivery/http/guardedHttp.js';

/** Returns guarded HTTP that may reach this machine, unless the options say otherwise. It ends with the test. */
export function guardedHttpForTest(options: Partial<GuardedHttpOptions> = {}): GuardedHttp {
  const http = createGuardedHttp({ allowPrivateNetworks: ['127.0.0.0/8'], timeoutMs: 2_000, ...options });
  onTestFinished(() => http.close(0));
  return http;
}

export function post(url: string, more: Partial<HttpRequest> = {}): HttpRequest {
  return { url, method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}', ...more };
}

export function expectResponse(outcome: HttpOutcome): HttpResponse {
  if (outcome.kind !== 'response') throw new Error(`expected a response, got ${JSON.stringify(outcome)}`);
  return outcome;
}

export function expectError(outcome: HttpOutcome): HttpError {
  if (outcome.kind !== 'error') throw new Error(`expected an error, got ${outcome.statusCode}`);
  return outcome;
}
