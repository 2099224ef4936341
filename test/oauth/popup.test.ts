import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { browserTestsWanted, launchChromium } from '../http/graphiql/support/chromium.js';
import { newAccount } from '../support/decideAuthorization.js';
import { eventually } from '../support/eventually.js';
import { createKlaviyoConnection, seeConnection, startKlaviyoAuthorization } from '../support/klaviyoFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { messagesOf, type Opener, startOpener } from './support/startOpener.js';

describe.runIf(browserTestsWanted())('An authorization in a pop-up of a real browser', () => {
  let browser: Browser;
  let app: Opener;
  let stranger: Opener;
  let switchboard: TestSwitchboard;
  beforeAll(async () => {
    [browser, app, stranger] = await Promise.all([launchChromium(), startOpener(), startOpener()]);
    // Klaviyo, Switchboard and the app have different origins, as in production.
    switchboard = await startSwitchboard({ RETURN_TO_ORIGINS: app.origin });
  });
  afterAll(() => Promise.all([browser?.close(), app?.close(), stranger?.close(), switchboard?.close()]));

  async function startOne() {
    const { client } = switchboard;
    const id = await createKlaviyoConnection(client);
    const account = newAccount(switchboard);
    const url = await startKlaviyoAuthorization(client, id, { returnTo: `${app.origin}/settings`, display: 'POPUP' });
    return { id, account, url };
  }

  /** Opens the authorization URL from an app in a pop-up. `complaints` are violations of our policies. */
  async function openFrom({ origin }: Opener, url: URL): Promise<{ opener: Page; popup: Page; complaints: string[] }> {
    const context = await browser.newContext({ viewport: { width: 390, height: 700 } });
    onTestFinished(() => context.close());
    const complaints: string[] = [];
    context.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    const opener = await context.newPage();
    opener.setDefaultTimeout(8_000);
    await opener.goto(`${origin}/#${url.href}`);
    const [popup] = await Promise.all([opener.waitForEvent('popup'), opener.click('button')]);
    popup.setDefaultTimeout(8_000);
    return { opener, popup, complaints };
  }

  async function decide(popup: Page, accountId: string, decision: 'Allow' | 'Deny'): Promise<void> {
    await popup.check(`input[value="${accountId}"]`);
    const closed = popup.waitForEvent('close');
    // The window closes during the navigation that the click began.
    await Promise.all([closed, popup.click(`button:has-text("${decision}")`, { noWaitAfter: true })]);
  }

  it('tells the opener that the account is connected, from our origin, and closes itself', async () => {
    const { id, account, url } = await startOne();
    const { opener, popup, complaints } = await openFrom(app, url);
    await decide(popup, account.id, 'Allow');
    await eventually(async () =>
      expect(await messagesOf(opener)).toEqual([
        {
          data: {
            type: 'switchboard:authorization',
            connection: id,
            outcome: 'completed',
            errorCode: null,
            errorDescription: null,
          },
          origin: new URL(switchboard.publicUrl).origin,
        },
      ]),
    );
    expect(await opener.evaluate('window.popup.closed')).toBe(true);
    expect(await seeConnection(switchboard.client, id)).toMatchObject({
      status: 'ACTIVE',
      configuration: { account: { id: account.id } },
    });
    expect(complaints.filter((text) => /Content.Security.Policy/i.test(text))).toEqual([]);
  });

  it('tells the opener that the merchant denied', async () => {
    const { id, account, url } = await startOne();
    const { opener, popup } = await openFrom(app, url);
    await decide(popup, account.id, 'Deny');
    await eventually(async () =>
      expect(await messagesOf(opener)).toMatchObject([
        {
          data: {
            ...{ connection: id, outcome: 'denied', errorCode: 'access_denied' },
            errorDescription: 'Access to the Klaviyo account was denied.',
          },
        },
      ]),
    );
  });

  it('tells the opener also when the provider was slow: the page in between reloads itself', async () => {
    const { id, account, url } = await startOne();
    switchboard.sandbox?.klaviyo.inject({ kind: 'slow', target: 'token', seconds: 3, count: 1 });
    const { opener, popup } = await openFrom(app, url);
    await popup.check(`input[value="${account.id}"]`);
    const closed = popup.waitForEvent('close');
    // The response is awaited instead of the page's text, since the page reloads itself and the window may close before the
    // text is read.
    const between = popup.waitForResponse((response) => response.status() === 202);
    await popup.click('button:has-text("Allow")', { noWaitAfter: true });
    expect((await between).headers()).toMatchObject({ refresh: '1' });
    await closed;
    await eventually(async () =>
      expect(await messagesOf(opener)).toMatchObject([{ data: { connection: id, outcome: 'completed' } }]),
    );
  });

  it('tells an opener on any other origin nothing', async () => {
    const { id, account, url } = await startOne();
    const { opener, popup } = await openFrom(stranger, url);
    await decide(popup, account.id, 'Allow');
    expect(await seeConnection(switchboard.client, id)).toMatchObject({ status: 'ACTIVE' });
    expect(await messagesOf(opener)).toEqual([]);
  });

  it('stays open, with a link back, when there is no opener', async () => {
    const { account, url } = await startOne();
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    page.setDefaultTimeout(8_000);
    await page.goto(url.href);
    await page.check(`input[value="${account.id}"]`);
    await page.click('button:has-text("Allow")');
    await page.waitForSelector(`h1:has-text("${account.name} is connected")`);
    expect(await page.getAttribute('a.button', 'href')).toBe(`${app.origin}/settings`);
  });
});
