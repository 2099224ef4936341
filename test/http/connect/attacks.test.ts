import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createOrganization } from '../../../src/access/createOrganization.js';
import { findFreePort } from '../../../src/database/embedded/findFreePort.js';
import { GraphQLClient } from '../../support/GraphQLClient.js';
import { tryCreateSession } from '../../support/sessionFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { browserTestsWanted, launchChromium } from '../graphiql/support/chromium.js';
import { MerchantBrowser } from './support/MerchantBrowser.js';
import { type Link, makeLink } from './support/makeLink.js';
import { visit } from './support/visit.js';

const EVIL_NAME = '</title><script>alert(1)</script>"\'&amp;$t(connect.back){{app}}';
const ESCAPED = '&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;amp;$t(connect.back){{app}}';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard({ ROLE: 'api', APP_NAME: EVIL_NAME, SESSION_RATE_LIMIT_PER_MINUTE: '20' });
});
afterAll(() => switchboard.close());

const browse = (headers: Record<string, string> = {}) => new MerchantBrowser(switchboard.publicUrl, headers);
const attemptsOf = ({ connectionId }: Link) =>
  switchboard.sql('select status from authorizations where connection_id = ? order by created_at, id', [connectionId]);

describe('The button of the connect page', () => {
  it.each<[string, Record<string, string>]>([
    ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['another site, by a browser that knows no Sec-Fetch-Site', { origin: 'https://evil.example', 'sec-fetch-site': '' }],
    ['a neighbouring domain', { origin: 'https://evil.example.com', 'sec-fetch-site': 'same-site' }],
    ['a page without origin', { origin: 'null', 'sec-fetch-site': 'cross-site' }],
    ['a page without origin, which claims to be ours', { origin: 'null', 'sec-fetch-site': 'same-origin' }],
    ['the address bar', { 'sec-fetch-site': 'none' }],
  ])('cannot be pressed from %s', async (_case, headers) => {
    const link = await makeLink(switchboard.client);
    const browser = browse();
    const page = await browser.follow(link.url);
    const answer = await browser.press(page, headers);
    expect(answer.status).toBe(403);
    expect(answer.text).toContain('Nothing was started');
    expect(await attemptsOf(link)).toEqual([]);
    expect(await browser.press(page)).toMatchObject({ status: 303 });
  });

  it('cannot be pressed by a request without an origin, or without the cookie', async () => {
    const link = await makeLink(switchboard.client);
    const browser = browse();
    const page = await browser.follow(link.url);
    const body = new URLSearchParams({ session: link.id });
    expect(await browser.open('/connect', { method: 'POST', body })).toMatchObject({ status: 403 });
    expect(await browse().press(page)).toMatchObject({ status: 400 });
    expect(await attemptsOf(link)).toEqual([]);
  });

  it.each([
    ['JSON', 'application/json', '{"session": 1}', 403],
    ['a file', 'multipart/form-data; boundary=x', '--x--', 403],
    ['far too much', 'application/x-www-form-urlencoded', `session=${'x'.repeat(5_000)}`, 403],
    ['nothing', 'application/x-www-form-urlencoded', '', 409],
    ['another session', 'application/x-www-form-urlencoded', 'session=018f0000-0000-7000-8000-000000000000', 409],
    ['two', 'application/x-www-form-urlencoded', 'session=x&session=y', 409],
  ])('answers %s with a page, and starts no authorization', async (_case, type, body, status) => {
    const link = await makeLink(switchboard.client);
    const browser = browse();
    await browser.follow(link.url);
    const headers = { origin: switchboard.publicUrl, 'sec-fetch-site': 'same-origin', 'content-type': type };
    const answer = await browser.open('/connect', { method: 'POST', body, headers });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('text/html');
    expect(await attemptsOf(link)).toEqual([]);
  });

  it('starts no authorization when another link was stored in the browser after its page was shown', async () => {
    const [own, attackers] = [
      await makeLink(switchboard.client),
      await makeLink(await switchboard.anotherOrganization('Attacker')),
    ];
    const browser = browse();
    const page = await browser.follow(own.url);
    await browser.open(attackers.url);
    const answer = await browser.press(page);
    expect(answer.status).toBe(409);
    expect(answer.text).toContain('Another link was opened');
    expect([await attemptsOf(own), await attemptsOf(attackers)]).toEqual([[], []]);
    // The page of the stored link names its organization.
    expect((await browser.open('/connect')).text).toContain('Go on only if Attacker is yours');
  });

  it('leaves one pending authorization when it is pressed several times at once', async () => {
    const link = await makeLink(switchboard.client);
    const browser = browse();
    const page = await browser.follow(link.url);
    const answers = await Promise.all([1, 2, 3, 4].map(() => browser.press(page)));
    expect(answers.map(({ status }) => status)).toEqual([303, 303, 303, 303]);
    const statuses = (await attemptsOf(link)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 'pending')).toHaveLength(1);
    expect(statuses.filter((status) => status === 'superseded')).toHaveLength(3);
  });

  it('is rate limited when it is pressed over and over', async () => {
    const link = await makeLink(switchboard.client);
    const browser = browse();
    const page = await browser.follow(link.url);
    let answer = await browser.press(page);
    for (let press = 0; press < 20; press += 1) answer = await browser.press(page);
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await attemptsOf(link)).toHaveLength(20);
    for (let look = 0; look < 20; look += 1) answer = await browser.open('/connect');
    expect(answer.status).toBe(429);
    // Another link of the same organization still works.
    expect(await browse().follow((await makeLink(switchboard.client)).url)).toMatchObject({ status: 200 });
  });
});

describe('A link that the merchant has not clicked', () => {
  it.each<[string, Record<string, string>]>([
    ['a picture', { 'sec-fetch-dest': 'image' }],
    ['a frame', { 'sec-fetch-dest': 'iframe' }],
    ['a script', { 'sec-fetch-dest': 'empty' }],
    ['preparation', { 'sec-fetch-dest': 'document', 'sec-purpose': 'prefetch;prerender' }],
    ['preparation by an older browser', { purpose: 'prefetch' }],
  ])('leaves no cookie when it is loaded as %s', async (_case, headers) => {
    const { url } = await makeLink(switchboard.client);
    const browser = browse();
    const answer = await browser.open(url, { headers });
    expect(answer.status).toBe(403);
    expect(browser.cookies.size).toBe(0);
  });
});

describe('Every response of the connect page', () => {
  it('cannot be framed, stored or indexed, and sends no referrer to other sites', async () => {
    const { url } = await makeLink(switchboard.client);
    const browser = browse();
    const answers = [await browser.open(url), await browser.open('/connect'), await browse().open('/connect')];
    for (const { headers, status } of answers) {
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy, String(status)).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('unsafe');
      expect(policy).not.toContain('script-src');
      expect(headers.get('x-frame-options')).toMatch(/deny|sameorigin/i);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toMatch(/^(no-referrer|same-origin)$/);
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  it('shows the names of an app, an organization and a connection as text, even when they contain markup', async () => {
    const keys = await createOrganization(switchboard, EVIL_NAME);
    const link = await makeLink(new GraphQLClient(`${switchboard.publicUrl}/graphql`, keys));
    await switchboard.sql('update connections set name = ? where id = ?', [EVIL_NAME, link.connectionId]);
    const { markup, headers } = await browse({ 'accept-language': '"><script>alert(1)</script>,de' }).follow(link.url);
    expect(markup.split(ESCAPED).length).toBeGreaterThan(5);
    expect(markup).not.toContain('<script');
    expect(markup.match(/<\/title>/g)).toHaveLength(1);
    expect(headers.get('content-security-policy')).not.toContain('script-src');
  });

  it('leads only to its own page, the provider and the URLs of its session', async () => {
    const link = await makeLink(switchboard.client);
    const browser = browse();
    const evil = 'https://evil.example/';
    const query = new URLSearchParams({ returnTo: evil, return_to: evil, next: evil, display: `popup${evil}` });
    expect((await browser.open(`${link.url}?${query}`)).headers.get('location')).toBe('/connect');
    const page = await browser.open(`/connect?${query}`);
    expect(page.markup).not.toContain('evil.example');
    const made = await tryCreateSession(switchboard.client, {
      ...{ permissions: ['CONNECT'], connectionId: link.connectionId, origin: 'https://shop.example', returnTo: evil },
    });
    expect(made.userErrors).toMatchObject([{ code: 'INVALID', path: ['returnTo'] }]);
  });
});

it('On https the cookie is Secure and limited to this host, and a cookie without the prefix is ignored', async () => {
  const [port, publicUrl] = [await findFreePort(), 'https://switchboard.example'];
  const secure = await startSwitchboard({ ROLE: 'api', PORT: String(port), PUBLIC_URL: publicUrl });
  onTestFinished(() => secure.close());
  const here = `http://127.0.0.1:${port}`;
  const { url, token, id } = await makeLink(new GraphQLClient(`${here}/graphql`, await createOrganization(secure, 'Acme')));
  expect(url).toBe(`${publicUrl}/connect/${token}`);
  const browser = new MerchantBrowser(here, {}, publicUrl);
  const [cookie = ''] = (await browser.open(`/connect/${token}`)).headers.getSetCookie();
  expect(cookie).toMatch(/^__Host-switchboard_connect=ses_[\w-]+; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  const page = await browser.open('/connect');
  expect(page.markup).toContain(`value="${id}"`);
  expect(await browser.press(page)).toMatchObject({ status: 303 });

  // A cookie that a sibling domain could set.
  const fixed = new MerchantBrowser(here);
  fixed.cookies.set('switchboard_connect', token);
  expect(await fixed.open('/connect')).toMatchObject({ status: 400 });
});

describe.runIf(browserTestsWanted())('In a real browser, another site', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  /** Starts a foreign site with these pages. */
  async function startSite(pages: Record<string, string>): Promise<string> {
    const server = createServer(({ url }, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end(`<!doctype html>${pages[url ?? '/'] ?? ''}`),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it("can neither send the button's form, nor show the page in a frame, nor store a link of its own", async () => {
    const [own, attackers] = [
      await makeLink(switchboard.client),
      await makeLink(await switchboard.anotherOrganization('Attacker')),
    ];
    const { page, context } = await visit(browser);
    const site = await startSite({
      '/post': `<form method=post action="${switchboard.publicUrl}/connect"><input name=session value="${own.id}"></form><script>document.forms[0].submit()</script>`,
      '/frame': `<iframe src="${switchboard.publicUrl}/connect"></iframe><iframe src="${attackers.url}"></iframe><img src="${attackers.url}">`,
    });
    await page.goto(own.url);
    const held = async () => (await context.cookies(switchboard.publicUrl)).map(({ value }) => value);
    expect(await held()).toEqual([own.token]);

    await page.goto(`${site}/post`);
    await page.waitForSelector('h1:has-text("Nothing was started")');
    await page.goto(`${site}/frame`, { waitUntil: 'load' });
    // What the browser shows instead of a page that it refuses to show.
    expect(
      page
        .frames()
        .slice(1)
        .map((frame) => frame.url()),
    ).toEqual(Array(2).fill('chrome-error://chromewebdata/'));
    expect(await held()).toEqual([own.token]);
    expect([await attemptsOf(own), await attemptsOf(attackers)]).toEqual([[], []]);
  });

  it('that contains a link learns nothing about it; the token is in no address, history or referrer', async () => {
    const link = await makeLink(switchboard.client);
    const { page, requests } = await visit(browser);
    const site = await startSite({ '/mail': `<a href="${link.url}">Connect</a>` });
    await page.goto(`${site}/mail`);
    // The click comes from another site, as from an e-mail. The cookie is still set.
    await page.click('a');
    await page.waitForSelector('form button');
    expect(page.url()).toBe(`${switchboard.publicUrl}/connect`);
    const seen = await page.evaluate<string>(
      'JSON.stringify([location.href, document.referrer, document.cookie, performance.getEntries().map(({ name }) => name), document.documentElement.outerHTML])',
    );
    expect(seen).not.toContain(link.token);

    await page.click('form button');
    await page.waitForURL(/oauth\/authorize/);
    expect(requests.map(({ referrer }) => referrer ?? '').join(' ')).not.toContain('ses_');
    const atKlaviyo = requests.filter(({ url }) => url.includes('/oauth/authorize'));
    expect(atKlaviyo.map(({ referrer }) => referrer)).toEqual([undefined]);
    for (const expected of [`${switchboard.publicUrl}/connect`, `${site}/mail`]) {
      await page.goBack();
      expect(page.url()).toBe(expected);
    }
  });
});
