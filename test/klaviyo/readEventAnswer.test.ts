import { describe, expect, it } from 'vitest';
import { readEventAnswer } from '../../src/klaviyo/KlaviyoDestination.js';

const json = (code: string) => JSON.stringify({ errors: [{ code, detail: 'Said by Klaviyo.' }] });
const HTML = '<!doctype html><title>Sorry</title>';

describe("The meaning of Klaviyo's response to POST /api/events", () => {
  it.each([
    [202, '', 'delivered', null],
    [400, json('invalid'), 'failed', 'invalid'],
    [403, json('permission_denied'), 'hold', 'permission_denied'],
    [403, HTML, 'retry', 'bad_status'],
    [400, HTML, 'retry', 'bad_status'],
    [401, json('not_authenticated'), 'retry', 'bad_status'],
    [404, json('not_found'), 'failed', 'not_found'],
    [500, json('error'), 'retry', 'bad_status'],
    [502, HTML, 'retry', 'bad_status'],
    [503, HTML, 'retry', 'bad_status'],
  ])('%i %j: %s (%s)', async (status, body, kind, code) => {
    const result = await readEventAnswer(new Response(body, { status }), performance.now());
    expect(result.kind).toBe(kind);
    expect('attempt' in result ? (result.attempt?.error?.code ?? null) : null).toBe(code);
  });

  it.each([
    ['This needs the scope profiles:write.', 'profiles:write'],
    ['A scope is missing.', 'events:write'],
  ])('403 %j names the scope that is missing: %s', async (detail, missingScope) => {
    const body = JSON.stringify({ errors: [{ code: 'permission_denied', detail }] });
    const result = await readEventAnswer(new Response(body, { status: 403 }), performance.now());
    expect(result).toMatchObject({ kind: 'hold', missingScope, reason: expect.stringContaining(missingScope) });
  });

  it('429 waits as long as Retry-After says, in seconds', async () => {
    const result = await readEventAnswer(new Response('', { status: 429, headers: { 'Retry-After': '7' } }), performance.now());
    expect(result).toEqual({ kind: 'throttled', forMs: 7_000 });
  });
});
