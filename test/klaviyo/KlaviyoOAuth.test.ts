import { describe, expect, it } from 'vitest';
import { KlaviyoOAuth } from '../../src/klaviyo/KlaviyoOAuth.js';
import { klaviyoScopes } from '../../src/klaviyo/klaviyoScopes.js';

const klaviyoAt = (authorizeUrl: string) =>
  new KlaviyoOAuth({
    clientId: 'a b&c',
    clientSecret: 'secret',
    redirectUri: 'https://switchboard.example/oauth/klaviyo/callback',
    authorizeUrl,
    apiUrl: 'https://a.klaviyo.com',
    revision: '2026-07-15',
    defaultScopes: ['accounts:read'],
    sandbox: false,
    fetch: () => Promise.reject(new Error('Nothing is fetched here')),
  });

describe('The issuer of a callback (RFC 9207 2.4)', () => {
  it.each([
    ['https://www.klaviyo.com/oauth/authorize', 'https://www.klaviyo.com'],
    ['https://www.klaviyo.com/oauth/authorize', 'https://www.klaviyo.com/'],
    ['https://id.example/realms/one/authorize', 'https://id.example/realms/one'],
    ['https://id.example/realms/one/authorize', 'https://id.example/realms/one/'],
  ])('of %s is %s', (authorizeUrl, iss) => {
    expect(klaviyoAt(authorizeUrl).isIssuer(iss)).toBe(true);
  });

  it.each([
    'https://klaviyo.com',
    'https://www.klaviyo.com.evil.example',
    'http://www.klaviyo.com',
    'https://www.klaviyo.com:8443',
    'https://www.klaviyo.com/oauth/auth',
    'https://www.klaviyo.com/other',
    'https://www.klaviyo.com/?x',
    'klaviyo',
    '',
  ])('is not %j', (iss) => {
    expect(klaviyoAt('https://www.klaviyo.com/oauth/authorize').isIssuer(iss)).toBe(false);
  });
});

describe('The authorization URL', () => {
  it('keeps a query that the endpoint has (RFC 6749 3.1) and encodes every value', () => {
    const url = new URL(
      klaviyoAt('https://id.example/authorize?tenant=7').authorizationUrl({
        state: 's&t',
        codeChallenge: 'c',
        scopes: ['x', 'y'],
      }),
    );
    expect(Object.fromEntries(url.searchParams)).toEqual({
      tenant: '7',
      response_type: 'code',
      client_id: 'a b&c',
      redirect_uri: 'https://switchboard.example/oauth/klaviyo/callback',
      scope: 'x y',
      state: 's&t',
      code_challenge_method: 'S256',
      code_challenge: 'c',
    });
  });
});

describe("Klaviyo's scopes", () => {
  it('are those of its documentation and its SDK, each once, in order', () => {
    const names = klaviyoScopes.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)].sort());
    expect(names).toHaveLength(47);
    expect(klaviyoScopes.filter(({ required }) => required).map(({ name }) => name)).toEqual(['accounts:read']);
    for (const { name, resource, access } of klaviyoScopes) expect(name).toBe(`${resource}:${access}`);
    for (const resource of ['custom-objects', 'forms', 'images', 'reviews', 'templates', 'web-feeds']) {
      expect(names).toContain(`${resource}:read`);
      expect(names).toContain(`${resource}:write`);
    }
    expect(names).not.toContain('accounts:write');
  });
});
