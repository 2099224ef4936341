import { describe, expect, it } from 'vitest';
import type { HttpErrorCode, HttpOutcome, ResponseHeaders } from '../../../src/delivery/http/httpOutcome.js';
import { decideOutcome, type RetryRules } from '../../../src/delivery/schedule/decideOutcome.js';

const rules: RetryRules = {
  attemptNumber: 1,
  delaysMs: [5_000, 300_000],
  nowMs: 0,
  retryAfterCapMs: 3_600_000,
  random: () => 0.5,
};
const response = (statusCode: number, headers: ResponseHeaders = {}): HttpOutcome => ({
  kind: 'response',
  statusCode,
  headers,
  body: '',
  bodyTruncated: false,
  durationMs: 1,
});
const error = (code: HttpErrorCode): HttpOutcome => ({ kind: 'error', code, message: 'It failed.', durationMs: 1 });

describe('decideOutcome', () => {
  it.each([200, 201, 202, 204, 299])('takes %i for success', (status) => {
    expect(decideOutcome(response(status), rules)).toEqual({ kind: 'success' });
  });

  it.each([400, 401, 404, 408, 422, 500, 502, 504, 599])('retries %i after the usual delay', (status) => {
    expect(decideOutcome(response(status), rules)).toEqual({
      kind: 'retry',
      delayMs: 5_000,
      reason: `The receiver answered ${status}.`,
    });
  });

  it.each([300, 301, 302, 304, 307, 308])('retries %i like any failure, since redirects are not followed', (status) => {
    const reason = `The receiver answered ${status}, and redirects are not followed.`;
    expect(decideOutcome(response(status, { location: 'https://example.com' }), rules)).toEqual({
      kind: 'retry',
      delayMs: 5_000,
      reason,
    });
  });

  it.each(['timeout', 'dns', 'connection_refused', 'connection_reset', 'tls', 'private_address', 'protocol', 'unknown'] as const)(
    'retries the error %s',
    (code) => {
      expect(decideOutcome(error(code), rules)).toEqual({ kind: 'retry', delayMs: 5_000, reason: 'It failed.' });
    },
  );

  it('fails when the retries are used up', () => {
    const exhausted = { ...rules, attemptNumber: 3 };
    expect(decideOutcome(response(500), exhausted)).toEqual({ kind: 'failure', reason: 'The receiver answered 500.' });
    expect(decideOutcome(response(429, { 'retry-after': '7' }), exhausted).kind).toBe('failure');
    expect(decideOutcome(error('timeout'), exhausted)).toEqual({ kind: 'failure', reason: 'It failed.' });
  });

  it('fails at once for a URL that never was one', () => {
    expect(decideOutcome(error('invalid_url'), rules)).toEqual({ kind: 'failure', reason: 'It failed.' });
  });

  it('disables the connection on 410, even with retries left', () => {
    expect(decideOutcome(response(410), rules)).toEqual({ kind: 'disable', reason: 'The receiver answered 410 Gone.' });
  });

  it('hands back what we gave up ourselves, whatever the number of the attempt', () => {
    expect(decideOutcome(error('aborted'), { ...rules, attemptNumber: 99 })).toEqual({ kind: 'handBack' });
  });

  it.each([429, 503])('obeys Retry-After on %i, up to the cap', (status) => {
    expect(decideOutcome(response(status, { 'retry-after': '2' }), rules)).toMatchObject({ kind: 'retry', delayMs: 2_000 });
    expect(decideOutcome(response(status, { 'Retry-After': '60' }), rules)).toMatchObject({ kind: 'retry', delayMs: 60_000 });
    expect(decideOutcome(response(status, { 'retry-after': '99999' }), rules)).toMatchObject({
      kind: 'retry',
      delayMs: 3_600_000,
    });
    expect(decideOutcome(response(status, { 'retry-after': 'soon' }), rules)).toMatchObject({ kind: 'retry', delayMs: 5_000 });
  });

  it('does not let Retry-After: 0 burn all retries at once', () => {
    expect(decideOutcome(response(503, { 'retry-after': '0' }), rules)).toMatchObject({ delayMs: 1_000 });
    expect(decideOutcome(response(503, { 'retry-after': '0' }), { ...rules, delaysMs: [50] })).toMatchObject({ delayMs: 50 });
  });

  it('ignores Retry-After on any other status', () => {
    expect(decideOutcome(response(500, { 'retry-after': '60' }), rules)).toMatchObject({ delayMs: 5_000 });
  });
});
