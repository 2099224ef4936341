import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decideAuthorization } from '../support/decideAuthorization.js';
import { createKlaviyoConnection } from '../support/klaviyoFlow.js';
import { openCallback, withParameters } from '../support/openCallback.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard({ RETURN_TO_ORIGINS: 'https://app.example.com, http://localhost:3000' });
});
afterAll(() => switchboard.close());

const START = `mutation ($input: StartAuthorizationInput!) {
  startAuthorization(input: $input) { authorizationUrl expiresAt authorization { id } userErrors { code message path } }
}`;

async function tryReturnTo(returnTo: string, input: object = {}) {
  const connectionId = await createKlaviyoConnection(switchboard.client);
  return (await switchboard.client.query(START, { input: { connectionId, returnTo, ...input } })).startAuthorization;
}

describe('returnTo must have an allowed origin (RFC 6749 10.15):', () => {
  it.each([['https://app.example.com/settings'], ['http://localhost:3000/'], ['https://APP.example.com:443/x?y=1#z']])(
    '%s is allowed',
    async (returnTo) => {
      expect(await tryReturnTo(returnTo)).toMatchObject({ authorizationUrl: expect.any(String), userErrors: [] });
    },
  );

  it.each([
    ['https://evil.example/'],
    ['https://app.example.com.evil.example/'],
    ['https://evil.example/https://app.example.com/'],
    ['http://app.example.com/'],
    ['https://app.example.com:8443/'],
    ['https://app.example.com@evil.example/'],
    ['https://user:secret@app.example.com/'],
    ['javascript:alert(document.domain)'],
    ['javascript://app.example.com/%0aalert(1)'],
    ['data:text/html,<script>alert(1)</script>'],
    ['blob:https://app.example.com/1'],
    [`https://app.example.com/${'x'.repeat(2_048)}`],
  ])('%s is not', async (returnTo) => {
    expect(await tryReturnTo(returnTo)).toEqual({
      authorizationUrl: null,
      expiresAt: null,
      authorization: null,
      userErrors: [{ code: 'INVALID', message: expect.any(String), path: ['returnTo'] }],
    });
  });

  it('and a refused one does not supersede the pending authorization', async () => {
    const decided = await decideAuthorization(switchboard);
    const { startAuthorization } = await switchboard.client.query(START, {
      input: { connectionId: decided.connectionId, returnTo: 'https://evil.example/' },
    });
    expect(startAuthorization.userErrors).toHaveLength(1);
    expect(await openCallback(decided.callback)).toMatchObject({ status: 200 });
  });

  it('a pop-up requires one, since only its origin receives the outcome', async () => {
    const connectionId = await createKlaviyoConnection(switchboard.client);
    const { startAuthorization } = await switchboard.client.query(START, { input: { connectionId, display: 'POPUP' } });
    expect(startAuthorization.userErrors).toMatchObject([{ code: 'REQUIRED', path: ['returnTo'] }]);
  });
});

describe('A browser that comes back with an outcome is redirected to returnTo with 303 (RFC 9110 15.4.4)', () => {
  const returnTo = 'https://app.example.com/settings?tab=connections&outcome=mine#klaviyo';

  async function whereTo(callback: URL) {
    const { status, headers } = await openCallback(callback);
    expect(status).toBe(303);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    const location = new URL(headers.get('location') ?? '');
    expect(`${location.origin}${location.pathname}${location.hash}`).toBe('https://app.example.com/settings#klaviyo');
    return Object.fromEntries(location.searchParams);
  }

  it("with connection and outcome, and keeps the URL's own query", async () => {
    const { callback, connectionId } = await decideAuthorization(switchboard, { input: { returnTo } });
    const expected = { tab: 'connections', connection: connectionId, outcome: 'completed' };
    expect(await whereTo(callback)).toEqual(expected);
    expect(await whereTo(callback)).toEqual(expected);
  });

  it("also when it was denied or failed, with the error's code", async () => {
    const denied = await decideAuthorization(switchboard, { input: { returnTo }, decision: 'deny' });
    expect(await whereTo(denied.callback)).toMatchObject({
      outcome: 'denied',
      error_code: 'access_denied',
      error_description: 'Access to the Klaviyo account was denied.',
    });
    const failed = await decideAuthorization(switchboard, { input: { returnTo } });
    expect(await whereTo(withParameters(failed.callback, { code: 'wrong' }))).toMatchObject({
      connection: failed.connectionId,
      outcome: 'failed',
      error_code: 'invalid_grant',
      error_description: expect.stringMatching(/^Klaviyo did not accept the approval.*Connect again\.$/),
    });
  });

  it('but sees our own page with a link back when the authorization has expired or was superseded', async () => {
    const { callback, connectionId } = await decideAuthorization(switchboard, { input: { returnTo } });
    await switchboard.sql("update authorizations set expires_at = now() - interval '1 s' where connection_id = ?", [
      connectionId,
    ]);
    const { status, markup } = await openCallback(callback);
    expect(status).toBe(410);
    expect(markup).toContain('href="https://app.example.com/settings?tab=connections&amp;outcome=mine#klaviyo"');
  });

  it('and the URL contains no code, state or token', async () => {
    const { callback } = await decideAuthorization(switchboard, { input: { returnTo } });
    const { headers } = await openCallback(callback);
    for (const name of ['code', 'state']) expect(headers.get('location')).not.toContain(callback.searchParams.get(name));
  });
});
