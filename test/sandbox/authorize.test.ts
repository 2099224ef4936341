import { describe, expect, it } from 'vitest';
import { authorizeParameters, decide, openConsent, redirected } from './support/oauthClient.js';
import { REDIRECT_URI, startSandbox } from './support/startSandbox.js';

describe('GET authorize: the consent page', () => {
  it('shows the app’s scopes in words, the accounts, and both decisions', async () => {
    const { url } = await startSandbox();
    const response = await openConsent(url, { scope: 'accounts:read events:write lists:write' });
    const page = await response.text();
    expect(response.status).toBe(200);
    expect(page).toContain('SANDBOX');
    expect(page).toContain('Add and change events');
    expect(page).not.toContain('<code>lists:write'); // the app is not set up with it
    expect(page).toMatch(/name="account" value="SbX001" checked/);
    expect(page).toContain('Second Store');
    expect(page).toContain('name="decision" value="allow"');
    expect(page).toContain('name="decision" value="deny"');
  });

  it('is not cached, not framed, not cut off from its opener, and runs no script', async () => {
    const { url } = await startSandbox();
    const { headers } = await openConsent(url);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    // Browsers apply form-action to the redirects that follow, so it would block every callback.
    expect(headers.get('content-security-policy')).not.toContain('form-action');
    expect(headers.get('cross-origin-opener-policy')).toBeNull();
  });

  it('escapes external text', async () => {
    const { url } = await startSandbox();
    const page = await (await openConsent(url, { state: '"><script>alert(1)</script>' })).text();
    expect(page).not.toContain('<script>');
    expect(page).toContain('&lt;script&gt;');
  });

  it('has its stylesheet', async () => {
    const { url } = await startSandbox();
    const response = await fetch(`${url}/sandbox.css`);
    expect(response.headers.get('content-type')).toContain('text/css');
  });
});

describe('RFC 6749, 4.1.2.1: no redirect without a trusted client and redirect URI', () => {
  it.each([
    ['an unknown client', { client_id: 'someone else' }],
    ['no client', { client_id: undefined }],
    ['no redirect_uri', { redirect_uri: undefined }],
    ['a redirect_uri with a slash more', { redirect_uri: `${REDIRECT_URI}/` }],
    ['a redirect_uri that only begins right', { redirect_uri: `${REDIRECT_URI}?next=evil` }],
    ['a redirect_uri in other case', { redirect_uri: REDIRECT_URI.toUpperCase() }],
  ])('%s gets a page', async (_name, changes) => {
    const { url } = await startSandbox();
    const response = await openConsent(url, changes);
    expect(response.status).toBe(400);
    expect(response.headers.get('location')).toBeNull();
    expect(response.headers.get('content-type')).toContain('text/html');
  });
});

describe('RFC 6749, 4.1.2.1: other errors are sent to the app, with the state', () => {
  it.each([
    ['unsupported_response_type', { response_type: 'token' }],
    ['invalid_request', { response_type: undefined }],
    ['invalid_scope', { scope: undefined }],
    ['invalid_scope', { scope: 'events:write' }],
    ['invalid_scope', { scope: 'accounts:read "quoted"' }],
    ['invalid_request', { code_challenge_method: 'plain' }],
    ['invalid_request', { code_challenge_method: undefined }],
    ['invalid_request', { code_challenge: 'too-short' }],
    ['invalid_request', { code_challenge: `${'a'.repeat(42)}=` }],
    ['invalid_request', { code_challenge: undefined }],
  ])('%s for %o', async (error, changes) => {
    const { url } = await startSandbox();
    const response = await openConsent(url, changes);
    expect(response.status).toBe(302);
    expect(response.headers.get('location')).toContain(REDIRECT_URI);
    expect(redirected(response).get('error')).toBe(error);
    expect(redirected(response).get('error_description')).toBeTruthy();
    expect(redirected(response).get('state')).toBe('the-state');
  });

  it('a missing state is refused, and none is made up', async () => {
    const { url } = await startSandbox();
    const answer = redirected(await openConsent(url, { state: undefined }));
    expect(answer.get('error')).toBe('invalid_request');
    expect(answer.has('state')).toBe(false);
  });

  it('RFC 6749, 3.1: a repeated parameter is refused', async () => {
    const { url } = await startSandbox();
    const query = `${new URLSearchParams(authorizeParameters())}&scope=accounts%3Aread`;
    const response = await fetch(`${url}/klaviyo/oauth/authorize?${query}`, { redirect: 'manual' });
    expect(redirected(response).get('error')).toBe('invalid_request');
  });
});

describe('POST authorize: the decision', () => {
  it('RFC 6749, 4.1.2: Allow returns a code and the state', async () => {
    const { url, klaviyo } = await startSandbox();
    const response = await decide(url, { decision: 'allow', account: 'SbX002' });
    expect(response.status).toBe(302);
    expect(redirected(response).get('code')).toMatch(/^[\w-]{43}$/);
    expect(redirected(response).get('state')).toBe('the-state');
    expect(klaviyo.counters.approvals).toBe(1);
  });

  it('RFC 6749, 4.1.2.1: Deny returns access_denied in Klaviyo’s words', async () => {
    const { url } = await startSandbox();
    const response = await decide(url, { decision: 'deny' });
    expect(Object.fromEntries(redirected(response))).toEqual({
      error: 'access_denied',
      error_description: 'The resource owner or authorization server denied the request',
      state: 'the-state',
    });
    expect(response.headers.get('location')).toContain('The+resource+owner+or');
  });

  it('checks everything again', async () => {
    const { url } = await startSandbox();
    expect((await decide(url, { decision: 'allow' }, { redirect_uri: 'https://evil.example/' })).status).toBe(400);
    expect(redirected(await decide(url, { decision: 'allow' }, { scope: 'events:write' })).get('error')).toBe('invalid_scope');
    expect((await decide(url, { decision: 'maybe' })).status).toBe(400);
    expect((await decide(url, { decision: 'allow', account: 'nobody' })).status).toBe(400);
  });

  it('can’t be sent by another site', async () => {
    const { url } = await startSandbox();
    const response = await fetch(`${url}/klaviyo/oauth/authorize`, {
      method: 'POST',
      headers: { 'sec-fetch-site': 'cross-site' },
      body: new URLSearchParams({ ...authorizeParameters(), decision: 'allow' }),
    });
    expect(response.status).toBe(403);
  });
});
