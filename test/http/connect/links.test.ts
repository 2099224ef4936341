import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { newAccount } from '../../support/decideAuthorization.js';
import { connectKlaviyo, createKlaviyoConnection, decideAtKlaviyo, seeConnection } from '../../support/klaviyoFlow.js';
import { makeSession, tryCreateSession } from '../../support/sessionFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { MerchantBrowser } from './support/MerchantBrowser.js';
import { makeLink } from './support/makeLink.js';

const APP = 'https://app.example.com';
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

let switchboard: TestSwitchboard;
beforeAll(async () => {
  const logo = join(await mkdtemp(join(tmpdir(), 'switchboard-logo-')), 'logo.png');
  await writeFile(logo, PIXEL);
  switchboard = await startSwitchboard({ ROLE: 'api', APP_NAME: 'Parcel & Co', APP_LOGO: logo, RETURN_TO_ORIGINS: APP });
});
afterAll(() => switchboard.close());

const browse = (headers: Record<string, string> = {}) => new MerchantBrowser(switchboard.publicUrl, headers);
const attemptsOf = (connectionId: string) =>
  switchboard.sql('select id, locale, display, opener_origin from authorizations where connection_id = ?', [connectionId]);

describe('A link', () => {
  it('redirects to an address without its token, which it stores in a cookie that no script and no other site can use', async () => {
    const { url, token } = await makeLink(switchboard.client);
    const answer = await browse().open(url);
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe('/connect');
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const [cookie = ''] = answer.headers.getSetCookie();
    expect(cookie).toMatch(new RegExp(`^switchboard_connect=${token}; Max-Age=(1[78]\\d\\d); Path=/; HttpOnly; SameSite=Lax$`));
  });

  it('says which app asks for what, in words that a merchant knows', async () => {
    const { url } = await makeLink(switchboard.client, { returnTo: `${APP}/settings` });
    const page = await browse().follow(url);
    expect(page.status).toBe(200);
    expect(page.text).toContain('Parcel & Co would like to connect Acme with your Klaviyo account.'.replace('&', '&amp;'));
    expect(page.text).toContain('See the name and time zone of your account');
    expect(page.text).toContain('Send events to it, such as “Parcel Delivered”');
    expect(page.text).toContain('Continue to Klaviyo');
    expect(page.text).toContain('SANDBOX');
    expect(page.markup).toContain(
      `<img class="logo" src="data:image/png;base64,${PIXEL.toString('base64')}" alt="Parcel &amp; Co">`,
    );
    expect(page.markup).toContain(`href="${APP}/settings"`);
  });

  it('describes other scopes too, and names those without a description', async () => {
    const connectionId = await createKlaviyoConnection(switchboard.client, ['accounts:read', 'profiles:write', 'lists:read']);
    const { text } = await browse().follow((await makeLink(switchboard.client, {}, connectionId)).url);
    expect(text).toContain('Change: profiles of your customers');
    expect(text).toContain('See: lists');
    expect(text).not.toContain('events to it');
  });

  it('starts no authorization, however often it is loaded by HEAD and GET; its button starts one, bound to the browser', async () => {
    const { url, connectionId } = await makeLink(switchboard.client);
    const browser = browse();
    for (const method of ['HEAD', 'GET', 'GET']) expect((await browser.open(url, { method })).status).toBe(303);
    const page = await browser.open('/connect');
    expect((await browser.open('/connect', { method: 'HEAD' })).status).toBe(200);
    expect(await attemptsOf(connectionId)).toEqual([]);

    const gone = await browser.press(page);
    expect(gone.status).toBe(303);
    expect(gone.headers.get('referrer-policy')).toBe('no-referrer');
    expect(gone.headers.get('location')).toMatch(/\/sandbox\/klaviyo\/oauth\/authorize\?/);
    expect(await attemptsOf(connectionId)).toHaveLength(1);

    const callback = await decideAtKlaviyo(new URL(gone.headers.get('location') as string), 'allow', newAccount(switchboard).id);
    const elsewhere = await browse().open(callback);
    expect(elsewhere.status).toBe(400);
    expect(elsewhere.text).toContain('another browser');
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({ status: 'PENDING_AUTHORIZATION' });
    expect(await browser.open(callback)).toMatchObject({ status: 200 });
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({ status: 'ACTIVE' });
  });

  it('of a connected connection says so, names its account, and connects it again', async () => {
    const account = newAccount(switchboard);
    const connectionId = await connectKlaviyo(switchboard.client, account.id);
    const browser = browse();
    const page = await browser.follow((await makeLink(switchboard.client, {}, connectionId)).url);
    expect(page.text).toContain('Klaviyo is connected');
    expect(page.text).toContain(`The account “${account.name}” is connected with Acme.`);
    expect(page.text).toContain('Connect again');
    const gone = await browser.press(page);
    const callback = await decideAtKlaviyo(new URL(gone.headers.get('location') as string), 'allow', account.id);
    expect(await browser.open(callback)).toMatchObject({ status: 200 });
  });

  it('whose authorization was denied offers to try again while it is valid, and only in its browser', async () => {
    const { url, id } = await makeLink(switchboard.client);
    const browser = browse();
    const gone = await browser.press(await browser.follow(url));
    const callback = await decideAtKlaviyo(new URL(gone.headers.get('location') as string), 'deny');
    const denied = await browser.open(callback);
    expect(denied.markup).toContain('<a class="button" href="/connect">Try again</a>');
    expect((await browse().open(callback)).markup).not.toContain('href="/connect"');
    expect((await browser.open('/connect')).status).toBe(200);
    await switchboard.client.query('mutation ($id: ID!) { endSession(input: { id: $id }) { session { id } } }', { id });
    expect((await browser.open(callback)).markup).not.toContain('href="/connect"');
  });

  it('returns to the app with connection and outcome', async () => {
    const { url, connectionId } = await makeLink(switchboard.client, { returnTo: `${APP}/settings?tab=klaviyo` });
    const browser = browse();
    const gone = await browser.press(await browser.follow(url));
    const callback = await decideAtKlaviyo(new URL(gone.headers.get('location') as string), 'allow', newAccount(switchboard).id);
    const answer = await browser.open(callback);
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe(`${APP}/settings?tab=klaviyo&connection=${connectionId}&outcome=completed`);
  });

  it("in a pop-up sends the outcome to its session's origin, whatever its returnTo", async () => {
    const origin = 'https://shop.example';
    const { url, connectionId } = await makeLink(switchboard.client, { origin, returnTo: `${APP}/settings` });
    const browser = browse();
    const page = await browser.follow(`${url}?display=popup`);
    // A pop-up does not navigate to the app.
    expect(page.markup).not.toContain(`${APP}/settings`);
    await browser.press(page);
    expect(await attemptsOf(connectionId)).toMatchObject([{ display: 'popup', opener_origin: origin }]);
  });

  it('in a pop-up sends the outcome to its opener even without a returnTo', async () => {
    const origin = 'https://shop.example';
    const { url } = await makeLink(switchboard.client, { origin });
    const browser = browse();
    const gone = await browser.press(await browser.follow(`${url}?display=popup`));
    const answer = await browser.open(await decideAtKlaviyo(new URL(gone.headers.get('location') as string), 'deny'));
    const [, data = ''] = /<script type="application\/json" id="outcome">([^<]*)</.exec(answer.markup) ?? [];
    expect(JSON.parse(data)).toMatchObject({ origin, message: { outcome: 'denied' } });
  });
});

it('allows its button to lead to all hosts of the provider, and nowhere else', async () => {
  const real = await startSwitchboard({ ROLE: 'api', KLAVIYO_CLIENT_ID: 'app', KLAVIYO_CLIENT_SECRET: 'secret-of-the-app' });
  onTestFinished(() => real.close());
  const connectionId = await createKlaviyoConnection(real.client);
  const { url } = await tryCreateSession(real.client, { permissions: ['CONNECT'], connectionId });
  const page = await new MerchantBrowser(real.publicUrl).follow(url);
  const policy = page.headers.get('content-security-policy');
  expect(policy).toContain("; form-action 'self' https://www.klaviyo.com https://*.klaviyo.com;");
  expect(page.text).not.toContain('SANDBOX');
});

describe('A link that does not work', () => {
  it.each([
    ['was never created', 404, 'This link does not work', async () => `/connect/ses_${'a'.repeat(43)}`],
    ['contains no token', 404, 'This link does not work', async () => '/connect/%00%3Cscript%3E'],
    [
      'has expired',
      410,
      'This link has expired',
      async () => {
        const { url, id } = await makeLink(switchboard.client);
        await switchboard.sql("update sessions set expires_at = now() - interval '1 second' where id = ?", [id]);
        return url;
      },
    ],
    [
      'was ended with its connection',
      410,
      'This link was ended',
      async () => {
        const { url, connectionId } = await makeLink(switchboard.client);
        await switchboard.client.query('mutation ($id: ID!) { deleteConnection(input: { id: $id }) { deletedId } }', {
          id: connectionId,
        });
        return url;
      },
    ],
    [
      'has no permission to connect',
      403,
      'This link does not work',
      async () => `/connect/${(await makeSession(switchboard.client, { permissions: ['MANAGE'] })).token}`,
    ],
  ])('because it %s shows a page that says what to do', async (_case, status, title, make) => {
    const browser = browse();
    const page = await browser.open(await make());
    expect(page.status).toBe(status);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.headers.get('content-security-policy')).toContain("form-action 'none'");
    expect(page.text).toContain(title);
    expect(page.text).toContain('ask for a new link');
    expect(browser.cookies.size).toBe(0);
  });

  it('because the browser no longer has the cookie asks to open it again', async () => {
    const page = await browse().open('/connect');
    expect(page.status).toBe(400);
    expect(page.text).toContain('Open the link again');
  });

  it('because it expired in between starts no authorization', async () => {
    const { url, id, connectionId } = await makeLink(switchboard.client);
    const browser = browse();
    const page = await browser.follow(url);
    await switchboard.sql("update sessions set expires_at = now() - interval '1 second' where id = ?", [id]);
    expect(await browser.press(page)).toMatchObject({ status: 410 });
    expect(await browser.open('/connect')).toMatchObject({ status: 410 });
    expect(await attemptsOf(connectionId)).toEqual([]);
  });
});
