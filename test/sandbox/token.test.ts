import { describe, expect, it } from 'vitest';
import {
  BASIC,
  exchange,
  getAccounts,
  getCode,
  install,
  postForm,
  refresh,
  type Tokens,
  VERIFIER,
} from './support/oauthClient.js';
import { CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, startSandbox } from './support/startSandbox.js';

const errorOf = async (response: Response) => {
  const { error, error_description } = (await response.json()) as Record<string, string>;
  return { status: response.status, error, error_description };
};

describe('the token request', () => {
  it('RFC 6749, 5.1: a code becomes tokens of the maximum announced size, and the response is not cached', async () => {
    const { url, klaviyo } = await startSandbox();
    const response = await exchange(url, await getCode(url));
    const tokens = (await response.json()) as Tokens;
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(tokens).toMatchObject({ token_type: 'bearer', expires_in: 3600, scope: 'accounts:read events:write' });
    expect(tokens.access_token).toHaveLength(4_096);
    expect(tokens.refresh_token).toHaveLength(512);
    expect(klaviyo.counters).toMatchObject({ tokenRequests: 1, exchangeRequests: 1, exchanges: 1 });
  });

  it('scopes that the app is not configured with are left out of the grant', async () => {
    const { url } = await startSandbox();
    expect((await install(url, undefined, { scope: 'lists:write accounts:read' })).scope).toBe('accounts:read');
  });

  it('a JSON body is refused with a hint', async () => {
    const { url } = await startSandbox();
    const response = await fetch(`${url}/klaviyo/oauth/token`, {
      method: 'POST',
      headers: { authorization: BASIC, 'content-type': 'application/json' },
      body: '{"grant_type":"authorization_code"}',
    });
    const answer = await errorOf(response);
    expect(answer).toMatchObject({ status: 400, error: 'invalid_request' });
    expect(answer.error_description).toContain('application/x-www-form-urlencoded');
  });

  it('RFC 6749, 3.2: a repeated parameter is refused', async () => {
    const { url } = await startSandbox();
    const response = await fetch(`${url}/klaviyo/oauth/token`, {
      method: 'POST',
      headers: { authorization: BASIC, 'content-type': 'application/x-www-form-urlencoded' },
      body: 'grant_type=refresh_token&refresh_token=a&refresh_token=b',
    });
    expect(await errorOf(response)).toMatchObject({ status: 400, error: 'invalid_request' });
  });

  it('an unknown grant_type has Klaviyo’s own error code', async () => {
    const { url } = await startSandbox();
    const response = await postForm(`${url}/klaviyo/oauth/token`, { grant_type: 'password' });
    expect(await errorOf(response)).toMatchObject({ status: 400, error: 'invalid_grant_type' });
  });
});

describe('client authentication: Basic with the raw id and secret', () => {
  const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` });
  it.each([
    ['a wrong secret', basic(`${CLIENT_ID}:wrong`)],
    ['a wrong id', basic(`wrong:${CLIENT_SECRET}`)],
    ['percent-encoded credentials (RFC 6749, 2.3.1)', basic([CLIENT_ID, CLIENT_SECRET].map(encodeURIComponent).join(':'))],
    ['another scheme', { authorization: 'Bearer abc' }],
    ['no header', { authorization: '' }],
  ])('%s is invalid_client', async (_name, headers) => {
    const { url } = await startSandbox();
    const response = await postForm(`${url}/klaviyo/oauth/token`, { grant_type: 'refresh_token', refresh_token: 'x' }, headers);
    expect(response.headers.get('www-authenticate')).toContain('Basic');
    expect(await errorOf(response)).toMatchObject({ status: 401, error: 'invalid_client' });
  });

  it('client_secret in the body is not accepted', async () => {
    const { url } = await startSandbox();
    const body = { grant_type: 'refresh_token', refresh_token: 'x', client_id: CLIENT_ID, client_secret: CLIENT_SECRET };
    const response = await postForm(`${url}/klaviyo/oauth/token`, body, { authorization: '' });
    expect(await errorOf(response)).toMatchObject({ status: 401, error: 'invalid_client' });
  });
});

describe('the authorization code', () => {
  it('lives five minutes', async () => {
    const { url, advance } = await startSandbox();
    const early = await getCode(url);
    advance(5 * 60_000 - 1);
    expect((await exchange(url, early)).status).toBe(200);
    const late = await getCode(url);
    advance(5 * 60_000);
    expect(await errorOf(await exchange(url, late))).toMatchObject({ status: 400, error: 'invalid_grant' });
  });

  it('RFC 6749, 4.1.2: works once; a second use revokes the tokens of the first', async () => {
    const { url, klaviyo } = await startSandbox();
    const code = await getCode(url);
    const tokens = (await (await exchange(url, code)).json()) as Tokens;
    expect(await errorOf(await exchange(url, code))).toMatchObject({ status: 400, error: 'invalid_grant' });
    expect((await getAccounts(url, tokens.access_token)).status).toBe(401);
    expect(await errorOf(await refresh(url, tokens.refresh_token))).toMatchObject({ error: 'invalid_grant' });
    expect(klaviyo.counters).toMatchObject({ exchanges: 1, exchangeRequests: 2, codeReplays: 1 });
  });

  it('RFC 6749, 4.1.3: needs the same redirect_uri', async () => {
    const { url } = await startSandbox();
    const response = await exchange(url, await getCode(url), { redirect_uri: `${REDIRECT_URI}/` });
    expect(await errorOf(response)).toMatchObject({ status: 400, error: 'invalid_grant' });
  });

  it.each(['code', 'redirect_uri', 'code_verifier'])('needs %s', async (name) => {
    const { url } = await startSandbox();
    const response = await exchange(url, await getCode(url), { [name]: undefined });
    expect(await errorOf(response)).toMatchObject({ status: 400, error: 'invalid_request' });
  });
});

describe('RFC 7636, 4.6: the proof key', () => {
  it('a verifier of another challenge is refused, and the code stays valid', async () => {
    const { url } = await startSandbox();
    const code = await getCode(url);
    const other = `${VERIFIER.slice(0, -1)}${VERIFIER.endsWith('A') ? 'B' : 'A'}`;
    expect(await errorOf(await exchange(url, code, { code_verifier: other }))).toEqual({
      status: 400,
      error: 'invalid_grant',
      error_description: 'Code challenge failed.',
    });
    expect((await exchange(url, code)).status).toBe(200);
  });

  it.each(['short', 'x'.repeat(129), `${'x'.repeat(50)}!`])('4.1: %s is not a verifier', async (verifier) => {
    const { url } = await startSandbox();
    expect(await errorOf(await exchange(url, await getCode(url), { code_verifier: verifier }))).toEqual({
      status: 400,
      error: 'invalid_request',
      error_description: 'Invalid "code_verifier"',
    });
  });
});
