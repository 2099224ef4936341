import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserTestsWanted, launchChromium } from '../http/graphiql/support/chromium.js';
import { newAccount } from '../support/decideAuthorization.js';
import { connectKlaviyo } from '../support/klaviyoFlow.js';
import { makeSession } from '../support/sessionFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createWebhookConnection, publish, subscribe, waitForDelivery } from '../support/webhookFlow.js';
import { expectQuiet, openConsole } from './support/openConsole.js';

/** A machine that has ten other things to do takes its time. */
const POLLING = { timeout: 15_000 };

describe.runIf(browserTestsWanted())('The console', () => {
  let browser: Browser;
  let switchboard: TestSwitchboard;
  beforeAll(async () => {
    [browser, switchboard] = await Promise.all([
      launchChromium(),
      startSwitchboard({ DELIVERY_RETRY_DELAYS: '1h', RETURN_TO_ORIGINS: 'http://localhost:3000' }),
    ]);
  });
  afterAll(() => Promise.all([browser?.close(), switchboard?.close()]));

  const go = (page: Page, path: string) => page.goto(`${switchboard.publicUrl}/console${path}`);

  it('leads an operator from nothing to a delivered event, by its buttons alone', async () => {
    const client = await switchboard.anotherOrganization();
    const visitor = await openConsole(browser, switchboard, { client });
    const { page } = visitor;
    // 1. The first step is a button; the sandbox's inbox is filled in.
    await page.getByRole('button', { name: 'Add a connection' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('parcels.event.created').first().waitFor();
    // 2. A test shows what the receiver answered.
    await page.getByRole('button', { name: 'Send a test' }).click();
    const test = page.getByRole('dialog');
    await test.getByText('Accepted').waitFor();
    await test.getByText('HTTP 200').waitFor();
    await test.getByRole('button', { name: 'Close' }).click();
    // 3. The sample is filled in.
    await page.getByRole('link', { name: 'Events' }).first().click();
    await page.getByRole('button', { name: 'Publish an event' }).first().click();
    await page.getByRole('dialog').getByRole('button', { name: 'Publish', exact: true }).click();
    // 4. What became of it appears by itself.
    await page.getByRole('heading', { name: 'What became of it' }).waitFor();
    await page.getByText('Delivered').first().waitFor();
    // Two arrived: the test and the event.
    expect(switchboard.sandbox?.inbox.total('mine')).toBe(2);
    expectQuiet(visitor, switchboard);
  });

  it('shows a failure as it happens, explains it, and mends it by one button', async () => {
    const client = await switchboard.anotherOrganization();
    const id = await createWebhookConnection(client, `${switchboard.publicUrl}/sandbox/inbox/broken`);
    await subscribe(client, id);
    switchboard.sandbox?.inbox.setBehaviour('broken', { answer: 'error' });
    const visitor = await openConsole(browser, switchboard, { client });
    const { page } = visitor;
    await page.getByRole('link', { name: 'Deliveries' }).first().click();
    await page.getByText('No deliveries yet').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    await publish(client);
    await page.locator('.feed .line', { hasText: 'Retrying' }).click();
    await page.getByRole('heading', { name: 'Attempts' }).waitFor();
    await page.getByText('HTTP 500').waitFor();
    // The data and the receiver's answer can be read with a key.
    await page.getByText('3SABC').waitFor();
    switchboard.sandbox?.inbox.setBehaviour('broken', { answer: 'ok' });
    await page.getByRole('button', { name: 'Try again now' }).click();
    await page.getByText('The receiver accepted it.').waitFor();
    await page.getByText('Attempt 2').waitFor();
    await page.goBack();
    await page.locator('.feed .line', { hasText: 'Delivered' }).waitFor();
    expectQuiet(visitor, switchboard);
  });

  it('keeps the filters of the deliveries in the address, so that a reload and going back show the same', async () => {
    const client = await switchboard.anotherOrganization();
    const [good, bad] = [
      await createWebhookConnection(client, `${switchboard.publicUrl}/sandbox/inbox/good`),
      await createWebhookConnection(client, `${switchboard.publicUrl}/sandbox/inbox/gone`),
    ];
    switchboard.sandbox?.inbox.setBehaviour('gone', { answer: 'bad-request' } as never);
    for (const id of [good, bad]) await subscribe(client, id);
    const event = await publish(client);
    await publish(client);
    await waitForDelivery(client, event, 'DELIVERED').catch(() => undefined);
    const { page } = await openConsole(browser, switchboard, { client });
    await page.getByRole('link', { name: 'Deliveries' }).first().click();
    const lines = page.locator('.feed .line');
    await lines.nth(3).waitFor();
    await page.getByRole('button', { name: /Connection/ }).click();
    await page.getByRole('option', { name: /inbox\/good/ }).click();
    await expect.poll(() => lines.count(), POLLING).toBe(2);
    expect(new URL(page.url()).searchParams.get('connection')).toBe(good);
    await page.getByLabel('Search by event ID').fill(event);
    await expect.poll(() => lines.count(), POLLING).toBe(1);
    await page.reload();
    await expect.poll(() => lines.count(), POLLING).toBe(1);
    await lines.first().click();
    await page.getByRole('heading', { name: 'Attempts' }).waitFor();
    await page.goBack();
    await expect.poll(() => lines.count(), POLLING).toBe(1);
    expect(new URL(page.url()).searchParams.get('event')).toBe(event);
  });

  it('replays what failed, and says how many are on their way', async () => {
    const client = await switchboard.anotherOrganization();
    const id = await createWebhookConnection(client, `${switchboard.publicUrl}/sandbox/inbox/replayed`);
    await subscribe(client, id);
    switchboard.sandbox?.inbox.setBehaviour('replayed', { answer: 'error' });
    const events = [await publish(client), await publish(client), await publish(client)];
    for (const event of events) await waitForDelivery(client, event, 'RETRYING');
    switchboard.sandbox?.inbox.setBehaviour('replayed', { answer: 'ok' });
    const { page } = await openConsole(browser, switchboard, { client });
    await go(page, '/deliveries?status=RETRYING');
    await page.locator('.feed .line').nth(2).waitFor();
    // The reload forgot the keys; the session goes on, and may replay.
    await page.getByRole('button', { name: 'Replay' }).click();
    // Nothing is replayed to a connection that nobody chose.
    const start = page.getByRole('button', { name: 'Start the replay' });
    expect(await start.isDisabled()).toBe(true);
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /Connection/ })
      .click();
    await page.getByRole('option', { name: /inbox\/replayed/ }).click();
    await start.click();
    await page.getByText('3 deliveries are on their way again.').waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    for (const event of events) await waitForDelivery(client, event, 'DELIVERED');
    await page.getByText('No delivery matches').waitFor();
  });

  it('connects Klaviyo by a pop-up, while the row turns active by itself', async () => {
    const client = await switchboard.anotherOrganization();
    const account = newAccount(switchboard);
    const visitor = await openConsole(browser, switchboard, { client });
    const { page, context } = visitor;
    await page.getByRole('link', { name: 'Connections' }).first().click();
    await page.getByRole('button', { name: 'Add a connection' }).first().click();
    await page.getByText("A merchant's account").click();
    await page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('Nobody has connected an account yet.').waitFor();
    const [popup] = await Promise.all([
      context.waitForEvent('page'),
      page.getByRole('button', { name: 'Connect', exact: true }).click(),
    ]);
    await popup.getByRole('button', { name: 'Continue to Klaviyo' }).click();
    await popup.check(`input[value="${account.id}"]`);
    await Promise.all([popup.waitForEvent('close'), popup.click('button:has-text("Allow")')]);
    await page.getByRole('heading', { level: 1, name: account.name }).waitFor();
    await page.getByText('Active', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Check now' }).click();
    await page.getByText('Klaviyo confirms the access.').waitFor();
    expectQuiet(visitor, switchboard);
  });

  it('lets a merchant mend what is theirs, and shows neither data nor answers', async () => {
    const client = await switchboard.anotherOrganization();
    const id = await createWebhookConnection(client, `${switchboard.publicUrl}/sandbox/inbox/theirs`);
    await subscribe(client, id);
    await createWebhookConnection(client, `${switchboard.publicUrl}/sandbox/inbox/of-others`);
    const event = await publish(client);
    const { id: delivery } = await waitForDelivery(client, event, 'DELIVERED');
    await client.query('mutation ($id: ID!) { updateConnection(input: { id: $id, isEnabled: false }) { userErrors { code } } }', {
      id,
    });
    const { token } = await makeSession(client, { permissions: ['MANAGE'], connectionId: id });
    const visitor = await openConsole(browser, switchboard, { client: null });
    const { page } = visitor;
    await go(page, `/${token}`);
    await page.getByRole('link', { name: 'Connections' }).first().click();
    await page.getByRole('link', { name: /theirs/ }).click();
    await page.getByText('The connection is switched off.').waitFor();
    expect(await page.getByText('of-others').count()).toBe(0);
    await page.getByRole('button', { name: 'Switch on' }).click();
    await page.getByText('The connection is switched off.').waitFor({ state: 'detached' });
    await go(page, `/deliveries/${delivery}`);
    await page.getByText('The receiver accepted it.').waitFor();
    await page.getByText('can be read with a key only').waitFor();
    expect(await page.getByText('3SABC').count()).toBe(0);
    expectQuiet(visitor, switchboard);
  });

  it('forgets nothing of a connection that goes: it says so in every window', async () => {
    const client = await switchboard.anotherOrganization();
    const id = await connectKlaviyo(client, newAccount(switchboard).id);
    const { page } = await openConsole(browser, switchboard, { client });
    await page.getByRole('link', { name: 'Connections' }).first().click();
    await page.locator('.table tbody tr').first().waitFor();
    await expect
      .poll(() => switchboard.sql('select count(*)::int as count from live_watchers').then(([row]) => row.count), POLLING)
      .toBeGreaterThan(0);
    await client.query('mutation ($id: ID!) { deleteConnection(input: { id: $id }) { deletedId } }', { id });
    await page.getByText('No connection yet').waitFor();
  });
});
