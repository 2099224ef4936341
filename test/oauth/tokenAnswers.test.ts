import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { columnIdentity } from '../../src/database/Cipher.js';
import { decideAuthorization } from '../support/decideAuthorization.js';
import { createKlaviyoConnection, seeConnection } from '../support/klaviyoFlow.js';
import { openCallback } from '../support/openCallback.js';
import { type StandaloneKlaviyo, startKlaviyo } from '../support/startKlaviyo.js';
import { startLinkedSwitchboard } from '../support/startLinkedSwitchboard.js';
import type { TestSwitchboard } from '../support/startSwitchboard.js';
import { testCipher } from '../support/testCipher.js';

let klaviyo: StandaloneKlaviyo;
let switchboard: TestSwitchboard;
beforeAll(async () => {
  klaviyo = await startKlaviyo();
  switchboard = await startLinkedSwitchboard(klaviyo);
});
afterAll(async () => {
  await switchboard.close();
  await klaviyo.close();
});

const place = () => ({ client: switchboard.client, sandbox: klaviyo });

async function link(connectionId?: string) {
  const { exchanges } = klaviyo.proxy;
  const decided = await decideAuthorization(place(), { connectionId });
  exchanges.length = 0;
  const page = await openCallback(decided.callback);
  const token = exchanges.find(({ path }) => path.endsWith('/oauth/token'));
  const [credential] = await switchboard.sql('select * from credentials where connection_id = ?', [decided.connectionId]);
  return { ...decided, page, token, credential, answer: JSON.parse(token?.responseBody ?? '{}') };
}

describe('The exchange (RFC 6749 4.1.3, RFC 7636 4.5)', () => {
  it('sends one form with code, verifier and redirect URI, authenticated with raw base64', async () => {
    const { token, callback, authorizationUrl } = await link();
    expect(Object.fromEntries(new URLSearchParams(token?.requestBody))).toEqual({
      grant_type: 'authorization_code',
      code: callback.searchParams.get('code'),
      redirect_uri: authorizationUrl.searchParams.get('redirect_uri'),
      code_verifier: expect.stringMatching(/^[A-Za-z0-9\-._~]{43,128}$/),
    });
    expect(token?.requestHeaders.get('content-type')).toMatch(/^application\/x-www-form-urlencoded/);
    expect(Buffer.from(token?.requestHeaders.get('authorization')?.slice(6) ?? '', 'base64').toString()).toBe(
      'test app+1:s3cr:et/%&=of-the-tests',
    );
    expect(klaviyo.proxy.exchanges.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /sandbox/klaviyo/oauth/token',
      'GET /sandbox/klaviyo/api/accounts',
    ]);
  });

  it('stores tokens of 4,096 and 512 characters, encrypted for their row', async () => {
    const { answer, credential, connectionId } = await link();
    expect([answer.access_token.length, answer.refresh_token.length]).toEqual([4_096, 512]);
    expect(credential.access_token).toMatch(/^v1\.test\./);
    expect(testCipher.decrypt(credential.access_token, columnIdentity.accessToken(Number(connectionId)))).toBe(
      answer.access_token,
    );
    expect(testCipher.decrypt(credential.refresh_token, columnIdentity.refreshToken(Number(connectionId)))).toBe(
      answer.refresh_token,
    );
  });
});

describe('A token response that deviates from RFC 6749 5.1 still links', () => {
  const secondsLeft = ({ expires_at }: { expires_at: string }) => (new Date(expires_at).getTime() - Date.now()) / 1000;

  it.each([['omit_expires_in'], ['expires_in_string']] as const)(
    'with %s: valid for an hour, as Klaviyo documents it',
    async (kind) => {
      klaviyo.klaviyo.inject({ kind, count: 1 });
      const { page, answer, credential } = await link();
      expect(page.status).toBe(200);
      expect(answer.expires_in).toBe(kind === 'omit_expires_in' ? undefined : '3600');
      expect(secondsLeft(credential)).toBeGreaterThan(3_500);
      expect(secondsLeft(credential)).toBeLessThanOrEqual(3_600);
    },
  );

  it('without a refresh token: ACTIVE until the access token expires', async () => {
    klaviyo.klaviyo.inject({ kind: 'omit_refresh_token', count: 1 });
    const { page, credential, connectionId } = await link();
    expect(page.status).toBe(200);
    expect(credential.refresh_token).toBeNull();
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({ status: 'ACTIVE' });
  });

  it('with fewer scopes than requested: the missing ones are listed', async () => {
    const id = await createKlaviyoConnection(switchboard.client, ['profiles:read', 'lists:write']);
    // The app at Klaviyo is configured without one of them.
    const decided = await decideAuthorization(place(), { connectionId: id });
    const granted = 'accounts:read profiles:read';
    klaviyo.proxy.rewrite = (body) => body.replace(/"scope":"[^"]*"/, `"scope":"${granted}"`);
    expect(await openCallback(decided.callback)).toMatchObject({ status: 200 });
    klaviyo.proxy.rewrite = null;
    expect(await seeConnection(switchboard.client, id)).toMatchObject({
      status: 'ACTIVE',
      configuration: {
        requestedScopes: ['accounts:read', 'profiles:read', 'lists:write'],
        grantedScopes: ['accounts:read', 'profiles:read'],
        missingScopes: ['lists:write'],
      },
    });
  });
});

describe('A token response without required parts fails the authorization', () => {
  it.each<[string, string]>([
    ['no JSON', '<html>'],
    ['an empty object', '{}'],
    ['no access token', '{"token_type":"bearer","refresh_token":"r"}'],
    ['no token type', '{"access_token":"a","expires_in":3600}'],
    ['a token type we cannot use (RFC 6749 7.1)', '{"access_token":"a","token_type":"mac","expires_in":3600}'],
    ['an array', '[]'],
  ])('%s', async (_what, body) => {
    klaviyo.proxy.rewrite = () => body;
    const { connectionId, callback } = await decideAuthorization(place());
    const page = await openCallback(callback);
    klaviyo.proxy.rewrite = null;
    expect(page.status).toBe(502);
    expect(await switchboard.sql('select 1 from credentials where connection_id = ?', [connectionId])).toEqual([]);
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({
      status: 'PENDING_AUTHORIZATION',
      authorization: { status: 'FAILED', errorCode: 'PROVIDER_UNAVAILABLE' },
    });
  });
});

describe('An error of the token endpoint', () => {
  it('that repeats code and verifier: neither is stored or shown', async () => {
    const decided = await decideAuthorization(place());
    const code = decided.callback.searchParams.get('code') as string;
    klaviyo.klaviyo.inject({ kind: 'invalid_grant', target: 'token', count: 1 });
    let verifier = '';
    klaviyo.proxy.rewrite = (_body, sent) => {
      verifier = new URLSearchParams(sent).get('code_verifier') ?? '';
      return JSON.stringify({ error: 'invalid_grant', error_description: `Code ${code} does not go with ${verifier}` });
    };
    const page = await openCallback(decided.callback);
    klaviyo.proxy.rewrite = null;
    const { authorization } = await seeConnection(switchboard.client, decided.connectionId);
    expect(authorization).toMatchObject({ status: 'FAILED', errorCode: 'INVALID_GRANT' });
    expect(verifier).toHaveLength(43);
    expect(authorization.errorDescription).toContain('does not go with');
    for (const text of [page.markup, authorization.errorDescription]) {
      expect(text).not.toContain(code);
      expect(text).not.toContain(verifier);
    }
  });
});

describe('The account of a new grant', () => {
  it('is requested again while Klaviyo limits requests', async () => {
    klaviyo.klaviyo.inject({ kind: 'throttle', target: 'api', seconds: 1 });
    const { page, account } = await link();
    expect(page.text).toContain(`${account.name} is connected`);
  });

  it.each([['unauthorized'], ['permission_denied']] as const)(
    'stays unknown when %s: the tokens are stored nevertheless',
    async (kind) => {
      klaviyo.klaviyo.inject({ kind, target: 'api', count: 1 });
      const { page, connectionId } = await link();
      expect(page).toMatchObject({ status: 200, text: expect.stringContaining('Klaviyo is connected') });
      expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({
        status: 'ACTIVE',
        configuration: { account: null },
      });
    },
  );
});
