import { describe, expect, it } from 'vitest';
import type { HttpErrorCode, HttpOutcome, ResponseHeaders } from '../../src/delivery/http/guardedHttp.js';
import { decideOutcome, type OutcomeRules } from '../../src/delivery/retries.js';

const rules: OutcomeRules = { nowMs: 0, retryAfterCapMs: 3_600_000 };
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
  it.each([200, 201, 202, 204, 299])('treats %i as success', (status) => {
    expect(decideOutcome(response(status), rules)).toEqual({ kind: 'delivered' });
  });

  it.each([400, 401, 404, 408, 422, 500, 502, 504, 599])('retries %i ', (status) => {
    expect(decideOutcome(response(status), rules)).toEqual({
      kind: 'retry',
      askedMs: null,
      reason: `The receiver answered ${status}.`,
    });
  });

  it.each([300, 301, 302, 304, 307, 308])('retries %i like any failure, since redirects are not followed', (status) => {
    const reason = `The receiver answered ${status}, and redirects are not followed.`;
    expect(decideOutcome(response(status, { location: 'https://example.com' }), rules)).toEqual({
      kind: 'retry',
      askedMs: null,
      reason,
    });
  });

  it.each(['timeout', 'dns', 'connection_refused', 'connection_reset', 'tls', 'private_address', 'protocol', 'unknown'] as const)(
    'retries the error %s',
    (code) => {
      expect(decideOutcome(error(code), rules)).toEqual({ kind: 'retry', askedMs: null, reason: 'It failed.' });
    },
  );

  it('fails at once for an invalid URL', () => {
    expect(decideOutcome(error('invalid_url'), rules)).toEqual({ kind: 'failed', reason: 'It failed.' });
  });

  it('disables the connection on 410', () => {
    expect(decideOutcome(response(410), rules)).toEqual({ kind: 'disable', reason: 'The receiver answered 410 Gone.' });
  });

  it('hands back what this process aborted', () => {
    expect(decideOutcome(error('aborted'), rules)).toEqual({ kind: 'handBack' });
  });

  it.each([429, 503])('honours Retry-After on %i, up to the cap', (status) => {
    expect(decideOutcome(response(status, { 'retry-after': '2' }), rules)).toMatchObject({ kind: 'retry', askedMs: 2_000 });
    expect(decideOutcome(response(status, { 'Retry-After': '60' }), rules)).toMatchObject({ kind: 'retry', askedMs: 60_000 });
    expect(decideOutcome(response(status, { 'retry-after': '99999' }), rules)).toMatchObject({
      kind: 'retry',
      askedMs: 3_600_000,
    });
    expect(decideOutcome(response(status, { 'retry-after': 'soon' }), rules)).toMatchObject({ kind: 'retry', askedMs: null });
  });

  it('ignores Retry-After on any other status', () => {
    expect(decideOutcome(response(500, { 'retry-after': '60' }), rules)).toMatchObject({ askedMs: null });
  });
});
