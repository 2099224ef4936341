import { get } from 'node:http';
import { describe, expect, it } from 'vitest';
import { eventBody, post, profile } from './support/eventRequests.js';
import { getAccounts, install, openConsent } from './support/oauthClient.js';
import { startSandbox } from './support/startSandbox.js';

const command = (url: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(`${url}/klaviyo/control`, { method: 'POST', redirect: 'manual', headers, body: new URLSearchParams(form) });

describe('the control page', () => {
  it('shows installations and events, escaped', async () => {
    const { url } = await startSandbox();
    const { access_token } = await install(url);
    await post(url, 'events', access_token, eventBody({ profile: profile({ external_id: '<img src=x onerror=alert(1)>' }) }));
    const response = await fetch(`${url}/klaviyo`);
    const page = await response.text();
    expect(response.headers.get('content-security-policy')).toContain("form-action 'self'");
    expect(page).toContain('SANDBOX');
    expect(page).toContain('Sandbox Store');
    expect(page).toContain('Parcel Delivered');
    expect(page).toContain('&lt;img src=x');
    expect(page).not.toContain('<img');
  });

  it('its forms revoke and expire tokens and inject faults', async () => {
    const { url, klaviyo } = await startSandbox();
    const { access_token } = await install(url, 'SbX001');
    const done = await command(url, { action: 'fault', kind: 'throttle', target: 'api', count: '2', seconds: '9' });
    expect(done.status).toBe(303);
    expect(done.headers.get('location')).toBe('/sandbox/klaviyo');
    expect(klaviyo.faults()).toMatchObject([{ kind: 'throttle', target: 'api', count: 2, seconds: 9 }]);
    expect(await (await fetch(`${url}/klaviyo`)).text()).toContain('next 2 request(s)');
    await command(url, { action: 'clear_faults' });
    expect(klaviyo.faults()).toEqual([]);
    await command(url, { action: 'expire' });
    expect((await getAccounts(url, access_token)).status).toBe(401);
    await command(url, { action: 'uninstall', account: 'SbX001' });
    expect(klaviyo.installations()).toEqual([]);
  });

  it('its forms remove scopes, and move grants to another account', async () => {
    const { url, klaviyo } = await startSandbox();
    const { access_token } = await install(url, 'SbX001');
    expect((await command(url, { action: 'move_grants', account: 'SbX001', to: 'SbX002' })).status).toBe(303);
    expect(await (await getAccounts(url, access_token)).json()).toMatchObject({ data: [{ id: 'SbX002' }] });
    expect(klaviyo.installations()).toMatchObject([{ account: { id: 'SbX002' } }]);
    await command(url, { action: 'withdraw_scopes', account: 'SbX002', scopes: 'accounts:read' });
    expect((await getAccounts(url, access_token)).status).toBe(403);
    expect(klaviyo.moveGrants('SbX002', 'NoSuch')).toBe(false);
    expect((await command(url, { action: 'withdraw_scopes', account: 'SbX002' })).status).toBe(400);
  });

  it('adds accounts that can then approve', async () => {
    const { url } = await startSandbox();
    await command(url, { action: 'add_account', name: 'Third Store' });
    expect(await (await openConsent(url)).text()).toContain('Third Store');
  });

  it('shows the credentials of every app, and adds others with their redirect URIs', async () => {
    const { url, klaviyo } = await startSandbox();
    const page = async () => (await fetch(`${url}/klaviyo`)).text();
    for (const shown of [
      'app id+1',
      's3cr:et/%&amp;=',
      'https://app.example/oauth/klaviyo/callback',
      `${url}/klaviyo/oauth/token`,
    ]) {
      expect(await page()).toContain(shown);
    }
    const uris = 'http://localhost:3000/callback\r\nhttps://mine.example/cb';
    const form = { action: 'add_app', name: 'Mine', client_id: 'my-app', client_secret: 'my-secret', redirect_uris: uris };
    expect((await command(url, form)).status).toBe(303);
    const app = klaviyo.apps()[1];
    expect(app).toMatchObject({ name: 'Mine', clientId: 'my-app', clientSecret: 'my-secret', redirectUris: uris.split('\r\n') });
    expect(await page()).toContain('my-secret');
    expect((await command(url, form)).status).toBe(409);
    expect((await command(url, { ...form, client_id: 'b', redirect_uris: 'javascript:alert(1)' })).status).toBe(409);
    expect((await command(url, { ...form, client_id: 'b:c' })).status).toBe(409);
    expect((await command(url, { ...form, client_id: 'b' }, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);

    const other = { client_id: 'my-app', redirect_uri: 'https://mine.example/cb' };
    expect(await (await openConsent(url, other)).text()).toContain('Mine asks for access');
    expect((await openConsent(url, { client_id: 'my-app' })).status).toBe(400);
    await command(url, { action: 'set_redirect_uris', app: 'own', redirect_uris: 'https://other.example/cb' });
    expect((await openConsent(url, { redirect_uri: 'https://other.example/cb' })).status).toBe(200);
    expect((await openConsent(url)).status).toBe(200);
    await command(url, { action: 'remove_app', app: app?.id ?? '' });
    expect((await openConsent(url, other)).status).toBe(400);
    await command(url, { action: 'remove_app', app: 'own' });
    expect(klaviyo.apps()).toHaveLength(1);
  });

  it('refuses invalid forms, and other sites', async () => {
    const { url } = await startSandbox();
    expect((await command(url, { action: 'dance' })).status).toBe(400);
    expect((await command(url, { action: 'fault', kind: 'earthquake' })).status).toBe(400);
    expect((await command(url, { action: 'fault', kind: 'hang', count: '0' })).status).toBe(400);
    expect((await command(url, { action: 'expire' }, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await command(url, { action: 'expire' }, { 'sec-fetch-site': 'same-site' })).status).toBe(403);
    expect((await command(url, { action: 'expire' }, { 'sec-fetch-site': 'same-origin' })).status).toBe(303);
  });

  it('returns the same as JSON, without any token', async () => {
    const { url } = await startSandbox();
    const { access_token } = await install(url);
    await post(url, 'events', access_token, eventBody());
    const state = await (await fetch(`${url}/klaviyo/control`)).json();
    expect(state).toMatchObject({
      counters: { exchanges: 1, events: 1 },
      accounts: [{ id: 'SbX001', events: { recorded: 1, duplicates: 0 } }, { id: 'SbX002' }],
      installations: [{ account: { id: 'SbX001' }, liveAccessTokens: 1 }],
    });
    expect(JSON.stringify(state)).not.toContain(access_token.slice(0, 40));
    const { events } = (await (await fetch(`${url}/klaviyo/control/events?account=SbX001`)).json()) as { events: unknown[] };
    expect(events).toHaveLength(1);
  });
});

describe('a browser without Sec-Fetch-Site', () => {
  const own = (url: string) => new URL(url).origin;

  it.each([
    ['another site', () => 'https://evil.example'],
    ['another port of this machine', () => 'http://127.0.0.1:1'],
    ['a page without an origin', () => 'null'],
  ])('is checked by Origin: %s may send no form', async (_who, origin) => {
    const { url, klaviyo } = await startSandbox();
    await install(url, 'SbX001');
    const form = { action: 'uninstall', account: 'SbX001' };
    expect((await command(url, form, { origin: origin() })).status).toBe(403);
    expect(klaviyo.installations()).toHaveLength(1);
    expect((await command(url, form, { origin: own(url) })).status).toBe(303);
    expect(klaviyo.installations()).toEqual([]);
  });

  it.each(['/klaviyo', '/klaviyo/control', '/klaviyo/control/events', '/inbox', '/inbox-view/a', '/inbox-control/a'])(
    'and came by a stranger name (DNS rebinding) sees nothing: %s',
    async (path) => {
      const { url } = await startSandbox();
      const asked = (host: string) =>
        new Promise<number>((resolve, reject) => {
          const { hostname, port, pathname } = new URL(`${url}${path}`);
          get({ hostname, port, path: pathname, headers: { host } }, (response) => {
            response.resume();
            resolve(response.statusCode ?? 0);
          }).on('error', reject);
        });
      expect(await asked('evil.example')).toBe(403);
      expect(await asked(`evil.example:${new URL(url).port}`)).toBe(403);
      expect(await asked('localhost:1234')).toBe(200);
      expect(await asked(new URL(url).host)).toBe(200);
    },
  );
});
