import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { LANGUAGES, texts } from '../../../src/http/texts/texts.js';
import { newAccount } from '../../support/decideAuthorization.js';
import { connectKlaviyo, createKlaviyoConnection } from '../../support/klaviyoFlow.js';
import { tryCreateSession } from '../../support/sessionFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { browserTestsWanted, launchChromium } from '../graphiql/support/chromium.js';
import { expectAccessible, overflow, visit } from './support/visit.js';

const LONG = 'Wohltätigkeitsverein-für-Versandverpackungen-und-Zustellbenachrichtigungen-GmbH-und-Co-KG';

describe.runIf(browserTestsWanted())('The connect page in a real browser', () => {
  let browser: Browser;
  let switchboard: TestSwitchboard;
  beforeAll(async () => {
    [browser, switchboard] = await Promise.all([launchChromium(), startSwitchboard({ APP_NAME: 'Parcel & Co' })]);
  });
  afterAll(() => Promise.all([browser?.close(), switchboard?.close()]));

  async function makeLink(connectionId: string, input: object = {}, client = switchboard.client): Promise<string> {
    const made = await tryCreateSession(client, { permissions: ['CONNECT'], connectionId, ...input });
    expect(made.userErrors).toEqual([]);
    return made.url;
  }

  /** Opens each page that a link can lead to. */
  async function openEach(page: Page, look: () => Promise<void>): Promise<void> {
    const client = await switchboard.anotherOrganization(LONG);
    const connectionId = await createKlaviyoConnection(client, ['accounts:read', 'events:write', 'profiles:write', 'lists:read']);
    const connected = await connectKlaviyo(switchboard.client, newAccount(switchboard).id);
    const ended = await makeLink(connectionId, {}, client);
    await switchboard.sql('update sessions set ended_at = now()');
    for (const link of [
      await makeLink(connectionId, {}, client),
      await makeLink(connected, { origin: 'http://localhost:3000', returnTo: 'http://localhost:3000/settings' }),
      ended,
      `${switchboard.publicUrl}/connect/ses_nobody`,
    ]) {
      await page.goto(link);
      await page.waitForSelector('h1');
      await look();
    }
  }

  it.each([
    [390, 'light'],
    [320, 'dark'],
    [390, 'dark'],
    [1280, 'light'],
  ] as const)(
    "at %i px in %s is accessible by axe's rules and fits the window, also when the link does not work",
    async (width, colorScheme) => {
      const { page, complaints } = await visit(browser, { viewport: { width, height: 800 }, colorScheme });
      await openEach(page, async () => {
        await expectAccessible(page);
        expect(await overflow(page)).toBe(0);
      });
      expect(complaints).toEqual([]);
    },
  );

  it('works with a keyboard only, without scripts, and loads nothing from other addresses', async () => {
    const account = newAccount(switchboard);
    const { page, requests, complaints } = await visit(browser, { javaScriptEnabled: false });
    await page.goto(await makeLink(await createKlaviyoConnection(switchboard.client)));
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForURL(/oauth\/authorize/);
    await page.check(`input[value="${account.id}"]`);
    await page.click('button:has-text("Allow")');
    await page.waitForSelector(`h1:has-text("${account.name} is connected")`);
    expect(new Set(requests.map(({ url }) => new URL(url).origin))).toEqual(new Set([switchboard.publicUrl]));
    expect(complaints).toEqual([]);
  });

  it('lets a merchant who has denied try again', async () => {
    const { page } = await visit(browser);
    await page.goto(await makeLink(await createKlaviyoConnection(switchboard.client)));
    await page.click('form button');
    await page.click('button:has-text("Deny")');
    await page.waitForSelector('h1:has-text("Access was denied")');
    await expectAccessible(page);
    await page.click('a:has-text("Try again")');
    await page.waitForSelector('button:has-text("Continue to Klaviyo")');
  });

  it.each(LANGUAGES)("is in the session's language %s, before and after the authorization", async (language) => {
    const account = newAccount(switchboard);
    const { page } = await visit(browser, { locale: 'ja-JP' });
    await page.goto(await makeLink(await createKlaviyoConnection(switchboard.client), { locale: `${language}-CH` }));
    const { connect, scopes } = texts[language];
    expect(await page.getAttribute('html', 'lang')).toBe(language);
    const button = connect.button.replace('{{provider}}', 'Klaviyo');
    for (const text of [connect.may, scopes['events:write'], scopes['accounts:read']]) {
      expect(await page.locator('main').innerText()).toContain(text);
    }
    await page.click(`button:has-text("${button}")`);
    await page.check(`input[value="${account.id}"]`);
    await page.click('button:has-text("Deny")');
    await page.waitForSelector(`h1:text-is("${texts[language].outcome.deniedTitle}")`);
    expect(await page.getAttribute('html', 'lang')).toBe(language);
  });

  it("is in the browser's language when the session names none, also when the link does not work", async () => {
    const { page } = await visit(browser, { locale: 'nl-BE' });
    await page.goto(await makeLink(await createKlaviyoConnection(switchboard.client)));
    expect(await page.locator('form button').innerText()).toBe('Verder naar Klaviyo');
    await page.goto(`${switchboard.publicUrl}/connect/ses_nobody`);
    expect(await page.locator('h1').innerText()).toBe('Deze link werkt niet');
  });
});

describe.runIf(browserTestsWanted())('The button of the connect page in a real browser', () => {
  it('leads to a provider on another site without sending a referrer', async () => {
    const seen: { referrer: string | undefined; cookie: string | undefined }[] = [];
    const klaviyo = createServer(({ headers, url = '' }, response) => {
      seen.push({ referrer: headers.referer, cookie: headers.cookie });
      // Providers redirect users who are not signed in.
      if (url.startsWith('/oauth/authorize')) response.writeHead(302, { location: '/login' }).end();
      else response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><h1>Sign in to Klaviyo</h1>');
    });
    await new Promise<void>((resolve) => klaviyo.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      klaviyo.close();
      klaviyo.closeAllConnections();
    });
    const origin = `http://127.0.0.1:${(klaviyo.address() as AddressInfo).port}`;
    const switchboard = await startSwitchboard({
      ...{ ROLE: 'api', KLAVIYO_CLIENT_ID: 'app', KLAVIYO_CLIENT_SECRET: 'secret-of-the-app' },
      ...{ KLAVIYO_AUTHORIZE_URL: `${origin}/oauth/authorize`, KLAVIYO_API_URL: origin },
    });
    onTestFinished(() => switchboard.close());
    const browser = await launchChromium();
    onTestFinished(() => browser.close());
    const connectionId = await createKlaviyoConnection(switchboard.client);
    const made = await tryCreateSession(switchboard.client, { permissions: ['CONNECT'], connectionId });
    const { page, complaints } = await visit(browser);
    await page.goto(made.url);
    expect(await page.locator('.sandbox').count()).toBe(0);
    await page.click('form button');
    await page.waitForSelector('h1:has-text("Sign in to Klaviyo")');
    expect(seen.slice(0, 2)).toEqual(Array(2).fill({ referrer: undefined, cookie: undefined }));
    expect(complaints).toEqual([]);
  });
});
