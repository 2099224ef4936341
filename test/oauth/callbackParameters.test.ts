import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decideAuthorization } from '../support/decideAuthorization.js';
import { seeConnection } from '../support/klaviyoFlow.js';
import { openCallback, withParameters } from '../support/openCallback.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
});
afterAll(() => switchboard.close());

const TITLE = 'This link does not work';

describe('A callback with an unknown state gets 400 and no information (RFC 6749 10.12):', () => {
  it.each<[string, string]>([
    ['no parameters at all', ''],
    ['no state', '?code=abc'],
    ['an empty state', '?code=abc&state='],
    ['a state that was never given out', `?code=abc&state=${randomBytes(32).toString('base64url')}`],
    ['an oversized state', `?code=abc&state=${'a'.repeat(10_000)}`],
    ['a state with a NUL in it', '?code=abc&state=%00'],
    ['a state that is not UTF-8', '?code=abc&state=%ff%fe'],
  ])('%s', async (_what, query) => {
    const { status, text } = await openCallback(`${switchboard.publicUrl}/oauth/klaviyo/callback${query}`);
    expect(status).toBe(400);
    expect(text).toContain(TITLE);
    expect(text).toContain('Nobody began to connect with it here');
  });

  it('two states, even when one of them is valid', async () => {
    const { callback, connectionId } = await decideAuthorization(switchboard);
    const state = callback.searchParams.get('state') as string;
    expect(await openCallback(withParameters(callback, { state: [state, 'other'] }))).toMatchObject({ status: 400 });
    expect(await openCallback(withParameters(callback, { state: [state, state] }))).toMatchObject({ status: 400 });
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({
      authorization: { status: 'PENDING', errorCode: null },
    });
    expect(await openCallback(callback)).toMatchObject({ status: 200 });
  });

  it('the state of another provider', async () => {
    const { callback, connectionId } = await decideAuthorization(switchboard);
    const rows = (provider: string) =>
      switchboard.sql('update authorizations set provider = ? where connection_id = ?', [provider, connectionId]);
    await rows('otherprovider');
    expect(await openCallback(callback)).toMatchObject({ status: 400, text: expect.stringContaining(TITLE) });
    await rows('klaviyo');
    expect(await openCallback(callback)).toMatchObject({ status: 200 });
  });
});

describe('A callback that is invalid in another way gets 400, and does not use up the state:', () => {
  it.each<[string, (code: string) => Record<string, string | string[] | undefined>, string]>([
    ['neither code nor error', () => ({ code: undefined }), 'neither a code nor an error'],
    ['an empty code', () => ({ code: '' }), 'neither a code nor an error'],
    ['a code and an error', () => ({ error: 'access_denied' }), 'a code and an error at once'],
    ['two codes (RFC 6749 3.1)', (code) => ({ code: [code, 'other'] }), '"code" came more than once'],
    ['the same code twice', (code) => ({ code: [code, code] }), '"code" came more than once'],
    ['two errors', () => ({ code: undefined, error: ['a', 'b'] }), '"error" came more than once'],
    ['two error descriptions', () => ({ error_description: ['a', 'b'] }), '"error_description" came more than once'],
    ['two issuers', () => ({ iss: ['a', 'b'] }), '"iss" came more than once'],
    ['an oversized code', () => ({ code: 'c'.repeat(4_097) }), '"code" is too long'],
    ['an oversized description', () => ({ error_description: 'd'.repeat(4_097) }), '"error_description" is too long'],
    ['another issuer (RFC 9207 2.4)', () => ({ iss: 'https://evil.example' }), 'another issuer'],
  ])('%s', async (_what, changes, words) => {
    const { callback, connectionId, account } = await decideAuthorization(switchboard);
    const refused = await openCallback(withParameters(callback, changes(callback.searchParams.get('code') as string)));
    expect(refused.status).toBe(400);
    expect(refused.text).toContain(TITLE);
    expect(refused.text).toContain('an address that is incomplete or was changed on the way');
    expect(refused.text).not.toContain(words);
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({
      status: 'PENDING_AUTHORIZATION',
      authorization: { status: 'PENDING', errorCode: 'INVALID_CALLBACK', errorDescription: expect.stringContaining(words) },
    });

    const good = await openCallback(callback);
    expect(good.status).toBe(200);
    expect(good.text).toContain(`${account.name} is connected`);
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({
      status: 'ACTIVE',
      statusReason: null,
      authorization: { status: 'COMPLETED', errorCode: null, errorDescription: null },
    });
  });
});

describe('A callback may have', () => {
  it('unknown parameters (RFC 6749 4.1.2) and the right issuer (RFC 9207 2)', async () => {
    const { callback } = await decideAuthorization(switchboard);
    const iss = switchboard.publicUrl;
    expect(await openCallback(withParameters(callback, { iss, session_state: ['x', 'y'] }))).toMatchObject({ status: 200 });
  });

  it('a question mark in its query, which does not begin a second query (RFC 3986 3.4)', async () => {
    const { callback } = await decideAuthorization(switchboard);
    const { status } = await openCallback(`${callback.origin}${callback.pathname}?hint=what?&${callback.search.slice(1)}`);
    expect(status).toBe(200);
  });
});

describe("A provider's message is stored for developers", () => {
  const evil = '<script>alert(1)</script><img src=x onerror=alert(2)>"\'&';

  it('on one line of limited length, and shown on no page', async () => {
    const { callback, connectionId } = await decideAuthorization(switchboard, { decision: 'deny' });
    const description = `${evil}\r\n\u0000\u202e${'long '.repeat(300)}`;
    const { status, markup } = await openCallback(withParameters(callback, { error_description: description }));
    expect(status).toBe(200);
    expect(markup).not.toMatch(/<script|<img|alert|access_denied/);
    const { errorCode, errorDescription } = (await seeConnection(switchboard.client, connectionId)).authorization;
    expect(errorCode).toBe('ACCESS_DENIED');
    expect(errorDescription.length).toBeLessThanOrEqual(500);
    expect(errorDescription).not.toMatch(/\p{C}/u);
  });

  it.each(['constructor', '__proto__', 'toString', '<b>'])('also an error with the code %s', async (error) => {
    const { callback, connectionId } = await decideAuthorization(switchboard, { decision: 'deny' });
    const { status, markup } = await openCallback(withParameters(callback, { error, error_description: undefined }));
    expect(status).toBe(400);
    expect(markup).toContain('could not be connected');
    expect(markup).toContain('Reason: <code>provider_refused</code>');
    expect(markup).not.toContain('<b>');
    expect(markup).not.toContain(error);
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({
      status: 'PENDING_AUTHORIZATION',
      authorization: { status: 'FAILED', errorCode: 'OTHER', providerErrorCode: error, errorDescription: null },
    });
  });
});
