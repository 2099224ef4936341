import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newAccount } from '../support/decideAuthorization.js';
import { createKlaviyoConnection, decideAtKlaviyo, seeConnection } from '../support/klaviyoFlow.js';
import { openCallback } from '../support/openCallback.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
});
afterAll(() => switchboard.close());

/** Starts and approves an authorization. `cookies` are those that the mutation's response set. */
async function boundAuthorization(bindToBrowser = true) {
  const { client } = switchboard;
  const connectionId = await createKlaviyoConnection(client);
  const { data, headers } = await client.send(
    `mutation ($input: StartAuthorizationInput!) {
      startAuthorization(input: $input) { authorizationUrl authorization { id } userErrors { code } }
    }`,
    { input: { connectionId, bindToBrowser } },
  );
  const { authorizationUrl, authorization } = data.startAuthorization;
  const callback = await decideAtKlaviyo(new URL(authorizationUrl), 'allow', newAccount(switchboard).id);
  return { connectionId, authorization, callback, cookies: headers.getSetCookie() };
}

const nameAndValue = (cookie: string | undefined): string => cookie?.split(';', 1)[0] ?? '';

describe('An authorization that is bound to its browser', () => {
  it('sets one cookie: HttpOnly, SameSite=Lax, for our callback only, valid as long as the authorization', async () => {
    const { cookies, authorization } = await boundAuthorization();
    expect(cookies).toHaveLength(1);
    const [pair, ...attributes] = cookies[0]?.split('; ') ?? [];
    expect(pair).toMatch(new RegExp(`^switchboard_authorization_${authorization.id}=[\\w-]{43}$`));
    expect(attributes).toEqual(expect.arrayContaining(['Path=/oauth', 'HttpOnly', 'SameSite=Lax']));
    // The test server uses http on loopback. Over https the cookie is also Secure.
    expect(attributes).not.toContain('Secure');
    const expires = attributes.find((attribute) => attribute.startsWith('Expires='))?.slice('Expires='.length);
    expect(Date.parse(expires ?? '') - Date.now()).toBeLessThanOrEqual(600_000);
    expect(Date.parse(expires ?? '') - Date.now()).toBeGreaterThan(590_000);
  });

  it('refuses a callback without the cookie, or with another one, and the state stays usable; with the cookie it completes', async () => {
    const { connectionId, callback, cookies } = await boundAuthorization();
    const [name = ''] = nameAndValue(cookies[0]).split('=');
    const other = await boundAuthorization();
    for (const cookie of ['', `${name}=`, `${name}=${'x'.repeat(43)}`, nameAndValue(other.cookies[0])]) {
      const refused = await openCallback(callback, { headers: { cookie } });
      expect(refused).toMatchObject({
        status: 400,
        text: expect.stringContaining('in another browser'),
      });
      expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({
        authorization: { status: 'PENDING', errorCode: 'BROWSER_MISMATCH' },
      });
    }
    const good = await openCallback(callback, { headers: { cookie: `other=1; ${nameAndValue(cookies[0])}` } });
    expect(good.status).toBe(200);
    expect(good.headers.get('set-cookie')).toMatch(new RegExp(`^${name}=; Max-Age=0; Path=/oauth; `));
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({
      status: 'ACTIVE',
      authorization: { status: 'COMPLETED', errorCode: null },
    });
  });

  it('stores only a hash of the cookie', async () => {
    const { connectionId, cookies } = await boundAuthorization();
    const [row] = await switchboard.sql('select * from authorizations where connection_id = ?', [connectionId]);
    expect(row.browser_binding_hash).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.stringify(row)).not.toContain(nameAndValue(cookies[0]).split('=')[1]);
  });
});

describe('An authorization that is not bound', () => {
  it('sets no cookie, and any browser can complete it', async () => {
    const { cookies, callback } = await boundAuthorization(false);
    expect(cookies).toEqual([]);
    expect(await openCallback(callback)).toMatchObject({ status: 200 });
  });
});
