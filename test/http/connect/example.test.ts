import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createOrganization } from '../../../src/access/createOrganization.js';
import { newAccount } from '../../support/decideAuthorization.js';
import { eventually } from '../../support/eventually.js';
import { createKlaviyoConnection } from '../../support/klaviyoFlow.js';
import { tryCreateSession } from '../../support/sessionFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { browserTestsWanted, launchChromium } from '../graphiql/support/chromium.js';
import { expectAccessible, visit } from './support/visit.js';

describe.runIf(browserTestsWanted())('The example app, on another origin, in a real browser', () => {
  let browser: Browser;
  let switchboard: TestSwitchboard;
  beforeAll(async () => {
    [browser, switchboard] = await Promise.all([launchChromium(), startSwitchboard({ APP_NAME: 'The app' })]);
  });
  afterAll(() => Promise.all([browser?.close(), switchboard?.close()]));

  interface App {
    readonly origin: string;
    readonly secretKey: string;
  }

  /** The app's backend, with keys of its own organization. */
  async function startApp(): Promise<App> {
    const { publicKey, secretKey } = await createOrganization(switchboard, 'Acme');
    const environment = {
      SWITCHBOARD_URL: switchboard.publicUrl,
      PUBLIC_KEY: publicKey,
      SECRET_KEY: secretKey,
      PORT: '0',
      HOST: '127.0.0.1',
    };
    const app = spawn(process.execPath, ['examples/connect/server.mjs'], { env: { ...process.env, ...environment } });
    onTestFinished(() => void app.kill());
    const [line] = await once(app.stdout, 'data');
    return { origin: String(line).trim(), secretKey };
  }

  /** The status that the merchant reads at the element. */
  const status = (page: Page) => page.locator('switchboard-connect').locator('[part=status]');
  const button = (page: Page) => page.locator('switchboard-connect').locator('[part=button]');

  async function openPopup(page: Page): Promise<Page> {
    const [popup] = await Promise.all([page.waitForEvent('popup'), button(page).click()]);
    await popup.click('button:has-text("Continue to Klaviyo"), button:has-text("Connect again")');
    return popup;
  }

  async function decide(popup: Page, accountId: string, decision: 'Allow' | 'Deny'): Promise<void> {
    await popup.check(`input[value="${accountId}"]`);
    await Promise.all([popup.waitForEvent('close'), popup.click(`button:has-text("${decision}")`, { noWaitAfter: true })]);
  }

  it('connects by the button of its page, shows it live, and stores no secret in the browser', async () => {
    const { origin, secretKey } = await startApp();
    const account = newAccount(switchboard);
    const { page, requests, complaints, context } = await visit(browser);
    const seen: string[] = [];
    context.on('response', async (response) => seen.push(await response.text().catch(() => '')));
    await page.goto(origin);
    await status(page).getByText('Not connected').waitFor();
    await expectAccessible(page);
    // Another page of the same merchant, on which nobody clicks.
    const other = await context.newPage();
    await other.goto(origin);
    await status(other).getByText('Not connected').waitFor();

    await decide(await openPopup(page), account.id, 'Allow');
    await page.getByText('Outcome: completed').waitFor();
    await status(page).getByText('Connected', { exact: true }).waitFor();
    await status(other).getByText('Connected', { exact: true }).waitFor();
    expect(await button(page).innerText()).toBe('Connect again');
    await expectAccessible(page);

    const hosts = new Set(requests.map(({ url }) => new URL(url).origin));
    expect([...hosts].sort()).toEqual([origin, switchboard.publicUrl].sort());
    expect(requests.some(({ url, referrer }) => url.includes(secretKey) || referrer?.includes('ses_'))).toBe(false);
    expect(seen.join('')).not.toContain(secretKey);
    expect(complaints).toEqual([]);
  });

  it('shows why it did not work, connects at the next try, and shows that the grant was revoked', async () => {
    const { origin } = await startApp();
    const account = newAccount(switchboard);
    const { page } = await visit(browser);
    await page.goto(origin);
    await status(page).getByText('Not connected').waitFor();
    await decide(await openPopup(page), account.id, 'Deny');
    await page.getByText('Access to the Klaviyo account was denied.').waitFor();
    expect(await status(page).innerText()).toBe('Not connected');

    await decide(await openPopup(page), account.id, 'Allow');
    await status(page).getByText('Connected', { exact: true }).waitFor();
    await switchboard.sql(`update connections set status = 'reauthorization_required'
      where id = (select max(id) from connections)`);
    await status(page).getByText('Connection lost').waitFor();
  });

  it('prefers a live update to an older answer that arrives later', async () => {
    const { origin } = await startApp();
    const account = newAccount(switchboard);
    const { page } = await visit(browser);
    await page.goto(origin);
    await status(page).getByText('Not connected').waitFor();
    await decide(await openPopup(page), account.id, 'Allow');
    await status(page).getByText('Connected', { exact: true }).waitFor();

    const answers: (() => Promise<void>)[] = [];
    await page.route('**/graphql', async (route) => {
      const response = await route.fetch();
      answers.push(() => route.fulfill({ response }));
      // The page's first query is answered at once. The one that it sends when the socket is open waits.
      if (answers.length === 1) await answers[0]?.();
    });
    await page.reload();
    await eventually(() => expect(answers).toHaveLength(2));
    await switchboard.sql(`update connections set status = 'reauthorization_required'
      where id = (select max(id) from connections)`);
    await status(page).getByText('Connection lost').waitFor();
    await Promise.all([page.waitForResponse('**/graphql'), answers[1]?.()]);
    await page.evaluate('new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))');
    expect(await status(page).innerText()).toBe('Connection lost');
  });

  it("connects by the ten lines of the README's page", async () => {
    const account = newAccount(switchboard);
    const [, lines = ''] = /```html\n([\s\S]*?)```/.exec(await readFile('README.md', 'utf8')) ?? [];
    expect(lines.trim().split('\n').length).toBeLessThanOrEqual(10);
    const connectionId = await createKlaviyoConnection(switchboard.client);
    let origin = '';
    const app = createServer(async ({ url }, response) => {
      if (url === '/session') {
        const made = await tryCreateSession(switchboard.client, { permissions: ['CONNECT'], connectionId, origin });
        return response.end(made.token);
      }
      const page = lines.replaceAll('http://localhost:4000', switchboard.publicUrl);
      return response.writeHead(200, { 'content-type': 'text/html' }).end(`<!doctype html>${page}`);
    });
    await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      app.close();
      app.closeAllConnections();
    });
    origin = `http://127.0.0.1:${(app.address() as AddressInfo).port}`;
    const { page } = await visit(browser);
    const said: string[] = [];
    page.on('console', (message) => said.push(message.text()));
    await page.goto(origin);
    await status(page).getByText('Not connected').waitFor();
    await decide(await openPopup(page), account.id, 'Allow');
    await status(page).getByText('Connected', { exact: true }).waitFor();
    expect(said).toContain('completed null');
  });

  it.each(['access_denied', 'consent_required'])(
    'asks the server when the message of the pop-up is lost, and gets the same code: %s',
    async (code) => {
      const { origin } = await startApp();
      const { page } = await visit(browser);
      await page.addInitScript(`
        addEventListener('message', (event) => event.stopImmediatePropagation(), true);
        addEventListener('switchboard-outcome', ({ detail }) => { window.heard = detail; });`);
      await page.goto(origin);
      await status(page).getByText('Not connected').waitFor();
      const popup = await openPopup(page);
      await popup.waitForSelector('button:has-text("Deny")');
      const atProvider = new URL(popup.url());
      const back = new URL(atProvider.searchParams.get('redirect_uri') as string);
      back.search = String(new URLSearchParams({ error: code, state: atProvider.searchParams.get('state') as string }));
      await Promise.all([popup.waitForEvent('close'), popup.goto(back.href, { waitUntil: 'commit' })]);
      await page.waitForFunction('window.heard');
      expect(await page.evaluate('window.heard')).toEqual({
        ...{ outcome: code === 'access_denied' ? 'denied' : 'failed', connectionId: expect.stringMatching(/^\d+$/) },
        ...{ errorCode: code, errorDescription: null },
      });
    },
  );

  it('notices that the window was closed', async () => {
    const { origin } = await startApp();
    const { page } = await visit(browser);
    await page.goto(origin);
    await status(page).getByText('Not connected').waitFor();
    const [popup] = await Promise.all([page.waitForEvent('popup'), button(page).click()]);
    await popup.waitForSelector('form button');
    await popup.close();
    await page.getByText('Outcome: closed').waitFor();
    // The window can be opened again.
    await openPopup(page);
  });

  it('opens the connect page in the same window when pop-ups are blocked, and shows the outcome after the return', async () => {
    const { origin } = await startApp();
    const account = newAccount(switchboard);
    const { page } = await visit(browser);
    await page.addInitScript('window.open = () => null');
    await page.goto(origin);
    await status(page).getByText('Not connected').waitFor();
    await button(page).click();
    await page.waitForURL(`${switchboard.publicUrl}/connect`);
    await page.click('button:has-text("Continue to Klaviyo")');
    await page.check(`input[value="${account.id}"]`);
    await page.click('button:has-text("Allow")');
    await page.waitForURL((url) => url.origin === origin && url.searchParams.get('outcome') === 'completed');
    await status(page).getByText('Connected', { exact: true }).waitFor();
  });

  it("works again for a merchant who goes back to the page with the browser's button", async () => {
    const { origin } = await startApp();
    const { page } = await visit(browser);
    await page.addInitScript('window.open = () => null');
    const asked: string[] = [];
    await page.route('**/connect/ses_*', (route) => {
      asked.push(route.request().url());
      // A 204 leaves the current page in place (HTML 7.4.5).
      return route.fulfill({ status: 204 });
    });
    await page.goto(origin);
    await status(page).getByText('Not connected').waitFor();
    await button(page).click();
    await eventually(async () => expect(asked).toHaveLength(1));
    await button(page).click();
    await page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))");
    await page.getByText('Outcome: closed').waitFor();
    expect(asked).toHaveLength(1);
    await button(page).click();
    await eventually(async () => expect(asked).toHaveLength(2));
  });

  it('asks for a new session when the old one has ended', async () => {
    const { origin } = await startApp();
    const { page } = await visit(browser);
    await page.goto(origin);
    await status(page).getByText('Not connected').waitFor();
    const token = () => page.evaluate<string>("document.querySelector('switchboard-connect').token");
    const before = await token();
    await switchboard.sql('update sessions set ended_at = now() where ended_at is null');
    await eventually(async () => expect(await token()).not.toBe(before));
    await status(page).getByText('Not connected').waitFor();
  });
});
