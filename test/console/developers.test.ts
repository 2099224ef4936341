import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserTestsWanted, launchChromium } from '../http/graphiql/support/chromium.js';
import { Platform } from '../support/Platform.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createWebhookConnection } from '../support/webhookFlow.js';
import { expectQuiet, openConsole } from './support/openConsole.js';

describe.runIf(browserTestsWanted())('The console for developers and platforms', () => {
  let browser: Browser;
  let switchboard: TestSwitchboard;
  beforeAll(async () => {
    [browser, switchboard] = await Promise.all([launchChromium(), startSwitchboard()]);
  });
  afterAll(() => Promise.all([browser?.close(), switchboard?.close()]));

  it('makes a key whose secret is shown once, and which then gets no further than its scopes', async () => {
    const visitor = await openConsole(browser, switchboard);
    const { page } = visitor;
    await page.getByRole('link', { name: 'Developers' }).first().click();
    await page.getByRole('button', { name: 'Create a key' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Dashboard');
    await page.getByRole('dialog').getByRole('button', { name: 'Create', exact: true }).click();
    const dialog = page.getByRole('alertdialog');
    await dialog.getByText('The secret is shown this once').waitFor();
    const [publicKey = '', secretKey = ''] = await dialog.locator('code').allInnerTexts();
    await dialog.getByRole('button', { name: 'I have copied it' }).click();
    await page.getByText('Dashboard').first().waitFor();
    expect(await page.content()).not.toContain(secretKey);
    // A key that may only read makes no session, and gets no button that changes something.
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Public key').fill(publicKey);
    await page.getByLabel('Secret key').fill(secretKey);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    await page.getByRole('link', { name: 'Connections' }).first().click();
    await page.getByText('No connection yet').waitFor();
    expect(await page.getByRole('button', { name: 'Add a connection' }).count()).toBe(0);
    await page.getByRole('link', { name: 'Developers' }).first().click();
    await page.getByText('Only a key with ADMIN may see this').waitFor();
    expectQuiet(visitor, switchboard);
  });

  it('shows and replaces a signing secret, and the audit log tells of it', async () => {
    const client = await switchboard.anotherOrganization();
    await createWebhookConnection(client);
    const { page } = await openConsole(browser, switchboard, { client });
    await page.getByRole('link', { name: 'Connections' }).first().click();
    await page.getByRole('link', { name: /hooks\.example\.com/ }).click();
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    const secret = page.locator('.secret code');
    const first = await secret.innerText();
    expect(first).toMatch(/^whsec_/);
    await page.getByRole('button', { name: 'Replace' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Replace' }).click();
    await page.getByText('The previous secret signs as well until').waitFor();
    expect(await secret.innerText()).not.toBe(first);
    await page.getByRole('link', { name: 'Developers' }).first().click();
    await page.getByRole('link', { name: 'Audit log' }).click();
    await page.getByText('SIGNING_SECRET_ROTATED').waitFor();
  });

  it('opens the operation of a screen in GraphiQL', async () => {
    const { page, context } = await openConsole(browser, switchboard);
    await page.getByRole('link', { name: 'Connections' }).first().click();
    await page.getByRole('heading', { level: 1, name: 'Connections' }).waitFor();
    await page.getByRole('button', { name: 'GraphQL' }).click();
    const [editor] = await Promise.all([
      context.waitForEvent('page'),
      page.getByRole('link', { name: 'Open in GraphiQL' }).click(),
    ]);
    await editor.waitForSelector('.graphiql-query-editor .CodeMirror');
    expect(await editor.locator('.graphiql-query-editor').textContent()).toContain('query Connections(');
    expect(new URL(editor.url()).hash).toBe('');
  });

  it('lets a platform find a merchant and act for it', async () => {
    const platform = await Platform.of(switchboard);
    const merchant = await platform.newOrganization('shop-17');
    await platform.newOrganization('shop-18');
    await createWebhookConnection(merchant);
    const visitor = await openConsole(browser, switchboard, { client: null });
    const { page } = visitor;
    await page.getByLabel('Public key').fill(platform.keys.publicKey);
    await page.getByLabel('Secret key').fill(platform.keys.secretKey);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { level: 1, name: 'Organizations' }).waitFor();
    await page.getByText('shop-18').first().waitFor();
    await page.getByLabel('Find by externalId').fill('shop-17');
    await page.getByText('shop-18').first().waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Enter' }).click();
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    await page.getByRole('link', { name: 'Connections' }).first().click();
    await page.getByRole('link', { name: /hooks\.example\.com/ }).waitFor();
    await page.getByRole('link', { name: 'Organizations' }).first().click();
    await page.getByRole('button', { name: 'Back to all organizations' }).click();
    await page.getByText('shop-18').first().waitFor();
    expectQuiet(visitor, switchboard);
  });
});
