import { describe, expect, it } from 'vitest';
import { getAccounts, install } from './support/oauthClient.js';
import { startSandbox } from './support/startSandbox.js';

describe('GET /api/accounts', () => {
  it('names the account that approved', async () => {
    const { url } = await startSandbox();
    const { access_token } = await install(url, 'SbX002');
    const response = await getAccounts(url, access_token);
    expect(response.headers.get('content-type')).toContain('application/vnd.api+json');
    expect(response.headers.get('ratelimit-limit')).toBe('15');
    expect(response.headers.get('ratelimit-remaining')).toBe('14');
    expect(response.headers.get('ratelimit-reset')).toBe('60');
    const { data } = (await response.json()) as { data: object[] };
    expect(data).toMatchObject([
      {
        type: 'account',
        id: 'SbX002',
        attributes: {
          contact_information: { organization_name: 'Second Store' },
          timezone: 'America/New_York',
          preferred_currency: 'USD',
          public_api_key: 'SbX002',
        },
      },
    ]);
  });

  it('tolerates a slash at the end', async () => {
    const { url } = await startSandbox();
    const { access_token } = await install(url);
    const headers = { authorization: `Bearer ${access_token}`, revision: '2026-07-15' };
    expect((await fetch(`${url}/klaviyo/api/accounts/`, { headers })).status).toBe(200);
  });

  it('401 without a valid token, in Klaviyo’s words', async () => {
    const { url } = await startSandbox();
    const response = await getAccounts(url, 'nonsense');
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({
      errors: [
        {
          id: expect.stringMatching(/^[\da-f-]{36}$/),
          status: 401,
          code: 'not_authenticated',
          title: 'Authentication credentials were not provided.',
          detail: 'Missing or invalid access token.',
          source: { pointer: '/data/' },
        },
      ],
    });
  });

  it('400 without a revision', async () => {
    const { url } = await startSandbox();
    const { access_token } = await install(url);
    const response = await fetch(`${url}/klaviyo/api/accounts`, { headers: { authorization: `Bearer ${access_token}` } });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errors: [{ code: 'invalid', detail: expect.stringContaining('revision') }] });
  });

  it('429 for the second request in a second, with Retry-After and no other rate limit header', async () => {
    const { url, advance } = await startSandbox();
    const { access_token } = await install(url);
    await getAccounts(url, access_token);
    const refused = await getAccounts(url, access_token);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect([...refused.headers.keys()].filter((name) => name.startsWith('ratelimit'))).toEqual([]);
    expect(await refused.json()).toMatchObject({
      errors: [
        {
          status: 429,
          code: 'throttled',
          title: 'Request was throttled.',
          detail: 'Request was throttled. Expected available in 1 second.',
        },
      ],
    });
    advance(1_000);
    expect((await getAccounts(url, access_token)).status).toBe(200);
  });

  it('429 for the sixteenth request in a minute', async () => {
    const { url, advance } = await startSandbox();
    const { access_token } = await install(url);
    for (let count = 0; count < 15; count += 1) {
      expect((await getAccounts(url, access_token)).status).toBe(200);
      advance(1_000);
    }
    const refused = await getAccounts(url, access_token);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('45');
  });
});
