import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectAccessible, overflow } from '../http/connect/support/visit.js';
import { browserTestsWanted, launchChromium } from '../http/graphiql/support/chromium.js';
import { newAccount } from '../support/decideAuthorization.js';
import type { GraphQLClient } from '../support/GraphQLClient.js';
import { connectKlaviyo, createKlaviyoConnection } from '../support/klaviyoFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createWebhookConnection, publish, subscribe, waitForDelivery } from '../support/webhookFlow.js';
import { expectQuiet, openConsole } from './support/openConsole.js';

describe.runIf(browserTestsWanted())('Every screen of the console', () => {
  let browser: Browser;
  let switchboard: TestSwitchboard;
  let full: GraphQLClient;
  let screens: readonly string[];
  beforeAll(async () => {
    [browser, switchboard] = await Promise.all([launchChromium(), startSwitchboard({ DELIVERY_RETRY_DELAYS: '1h' })]);
    full = await switchboard.anotherOrganization(
      'Wohltätigkeitsverein-für-Versandverpackungen-und-Zustellbenachrichtigungen-GmbH',
    );
    const [good, bad] = [
      await createWebhookConnection(full, `${switchboard.publicUrl}/sandbox/inbox/good`),
      await createWebhookConnection(full, `${switchboard.publicUrl}/sandbox/inbox/bad-${'long'.repeat(12)}`),
    ];
    switchboard.sandbox?.inbox.setBehaviour(`bad-${'long'.repeat(12)}`, { answer: 'error' });
    await connectKlaviyo(full, newAccount(switchboard).id);
    await createKlaviyoConnection(full);
    for (const id of [good, bad]) await subscribe(full, id);
    const event = await publish(full);
    const [delivery] = await Promise.all([
      full.query('query ($id: ID!) { deliveries(first: 5, filter: { eventId: $id }) { edges { node { id } } } }', { id: event }),
    ]);
    await waitForDelivery(full, event, 'DELIVERED').catch(() => undefined);
    screens = [
      '/',
      '/connections',
      `/connections/${good}`,
      '/subscriptions',
      '/deliveries',
      `/deliveries/${delivery.deliveries.edges[0].node.id}`,
      '/events',
      `/events/${event}`,
      '/developers/keys',
      '/developers/sessions',
      '/developers/audit',
      '/nowhere',
    ];
  });
  afterAll(() => Promise.all([browser?.close(), switchboard?.close()]));

  /** Goes to a screen without loading the page anew, which would forget the keys. */
  async function go(page: Page, path: string): Promise<void> {
    await page.evaluate(
      `history.pushState(null, '', '/console${path === '/' ? '' : path}'); dispatchEvent(new PopStateEvent('popstate'))`,
    );
    await page.locator('h1').waitFor();
    await page
      .locator('[aria-busy]')
      .waitFor({ state: 'detached' })
      .catch(() => undefined);
    await page.waitForLoadState('networkidle');
  }

  it.each([
    ['light', 1280],
    ['dark', 390],
  ] as const)('has nothing that axe finds in %s at %i px, and is no wider than its window', async (colorScheme, width) => {
    const visitor = await openConsole(browser, switchboard, { client: full, colorScheme, viewport: { width, height: 800 } });
    const { page } = visitor;
    const found: string[] = [];
    for (const path of screens) {
      await go(page, path);
      await expectAccessible(page).catch((error) => found.push(`${path}: ${error.message}`));
      if ((await overflow(page)) > 0) found.push(`${path} is wider than its window`);
      if (process.env.CONSOLE_SCREENSHOTS) {
        const name = path.replaceAll(/\W+/g, '-').slice(0, 24);
        await page.screenshot({ path: `${process.env.CONSOLE_SCREENSHOTS}/${name}-${colorScheme}-${width}.png` });
      }
    }
    expect(found).toEqual([]);
    expectQuiet(visitor, switchboard);
  });

  it.each(['/', '/connections', '/subscriptions', '/deliveries', '/events'])(
    '%s teaches the next step while it is empty',
    async (path) => {
      const client = await switchboard.anotherOrganization();
      const { page } = await openConsole(browser, switchboard, { client });
      await go(page, path);
      await page.locator('.empty h2, .steps').first().waitFor();
      await expectAccessible(page);
    },
  );

  it('opens its dialogs by keyboard, keeps the focus in them, and gives it back', async () => {
    const { page } = await openConsole(browser, switchboard, { client: full });
    await go(page, '/connections');
    await page.getByRole('button', { name: 'Add a connection' }).first().focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    await expectAccessible(page);
    for (let presses = 0; presses < 12; presses += 1) {
      await page.keyboard.press('Tab');
      expect(await page.evaluate(`document.activeElement.closest('[role=dialog]') !== null`)).toBe(true);
    }
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await page.evaluate('document.activeElement.textContent')).toContain('Add a connection');
  });

  it('speaks the language of the browser, and the one that is chosen', async () => {
    const { page } = await openConsole(browser, switchboard, { client: null, locale: 'nl-NL' });
    await page.getByRole('heading', { name: 'Inloggen' }).waitFor();
    expect(await page.evaluate('document.documentElement.lang')).toBe('nl');
    await page.getByLabel('Publieke sleutel').fill(full.keys.publicKey);
    await page.getByLabel('Geheime sleutel').fill(full.keys.secretKey);
    await page.getByRole('button', { name: 'Inloggen' }).click();
    await page.getByRole('heading', { level: 1, name: 'Overzicht' }).waitFor();
    await page.getByRole('button', { name: /Taal/ }).click();
    await page.getByRole('option', { name: 'Français' }).click();
    await page.getByRole('heading', { level: 1, name: "Vue d'ensemble" }).waitFor();
    await page.reload();
    await page.getByRole('heading', { level: 1, name: "Vue d'ensemble" }).waitFor();
  });
});
