import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserTestsWanted, launchChromium } from '../http/graphiql/support/chromium.js';
import { makeSession } from '../support/sessionFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { expectQuiet, openConsole, signIn } from './support/openConsole.js';

describe.runIf(browserTestsWanted())('The way into the console', () => {
  let browser: Browser;
  let switchboard: TestSwitchboard;
  beforeAll(async () => {
    [browser, switchboard] = await Promise.all([launchChromium(), startSwitchboard()]);
  });
  afterAll(() => Promise.all([browser?.close(), switchboard?.close()]));

  it('is the first thing at /: keys become a session, which survives a reload and ends on signing out', async () => {
    const visitor = await openConsole(browser, switchboard);
    const { page } = visitor;
    expect(new URL(page.url()).pathname).toBe('/console');
    const stored = await page.evaluate<string>(`JSON.stringify({ ...sessionStorage, ...localStorage })`);
    expect(stored).not.toContain(switchboard.client.keys.secretKey);
    expect(stored).toContain('ses_');
    const [session] = await switchboard.sql('select permissions, ended_at from sessions order by id desc limit 1');
    expect(session).toMatchObject({ ended_at: null });
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    // The keys are gone with the page, so a session that the console itself made can't end itself: signing in again can.
    await page.getByRole('link', { name: 'Developers' }).first().click();
    await page.getByText('Your keys are needed').waitFor();
    await page.getByLabel('Public key').fill(switchboard.client.keys.publicKey);
    await page.getByLabel('Secret key').fill(switchboard.client.keys.secretKey);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('button', { name: 'Create a key' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    const [last] = await switchboard.sql('select ended_at from sessions order by id desc limit 1');
    expect(last.ended_at).not.toBeNull();
    expect(await page.evaluate<string>('JSON.stringify({ ...sessionStorage })')).not.toContain('ses_');
    expectQuiet(visitor, switchboard);
  });

  it('says what is wrong with keys that are not valid', async () => {
    const { page } = await openConsole(browser, switchboard, { client: null });
    await page.getByLabel('Public key').fill('pub_wrong');
    await page.getByLabel('Secret key').fill('sec_wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('These keys are not valid').waitFor();
    await signIn(page, switchboard.client);
  });

  it('takes a session token out of the address at once, and shows only what the session may', async () => {
    const { token } = await makeSession(switchboard.client, { permissions: ['VIEW'] });
    const visitor = await openConsole(browser, switchboard, { client: null });
    const { page } = visitor;
    await page.goto(`${switchboard.publicUrl}/console/${token}`);
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    expect(page.url()).toBe(`${switchboard.publicUrl}/console`);
    await page.getByRole('link', { name: 'Connections' }).first().click();
    await page.getByText('No connection').waitFor();
    expect(await page.getByRole('button', { name: 'Add a connection' }).count()).toBe(0);
    expect(await page.getByRole('link', { name: 'Developers' }).count()).toBe(0);
    expectQuiet(visitor, switchboard);
  });

  it('keeps the session while the server refuses for a while, and lets its reader try again', async () => {
    const { page } = await openConsole(browser, switchboard);
    await page.route('**/graphql', (route) => route.fulfill({ status: 503, body: 'Busy' }));
    await page.reload();
    await page.getByRole('heading', { name: 'The console could not be opened' }).waitFor();
    expect(await page.evaluate<string>('JSON.stringify({ ...sessionStorage })')).toContain('ses_');
    await page.unroute('**/graphql');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  });

  it('takes no keys of another organization where keys are needed again, and keeps the session', async () => {
    const { keys } = await switchboard.anotherOrganization();
    const { page } = await openConsole(browser, switchboard);
    const stored = () => page.evaluate<string>('JSON.stringify({ ...sessionStorage })');
    const before = await stored();
    await page.reload();
    await page.getByRole('link', { name: 'Developers' }).first().click();
    await page.getByLabel('Public key').fill(keys.publicKey);
    await page.getByLabel('Secret key').fill(keys.secretKey);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('These keys belong to another organization.').waitFor();
    expect(await stored()).toBe(before);
  });

  it('tells somebody whose session was ended, and lets them in again', async () => {
    const { token, id } = await makeSession(switchboard.client, { permissions: ['MANAGE'] });
    const { page } = await openConsole(browser, switchboard, { client: null });
    await page.goto(`${switchboard.publicUrl}/console/${token}`);
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    await switchboard.client.query('mutation ($id: ID!) { endSession(input: { id: $id }) { userErrors { code } } }', { id });
    await page.getByRole('link', { name: 'Connections' }).first().click();
    await page.getByText('Your session was ended').waitFor();
    // Nothing is lost: it goes on where it was.
    await signIn(page, switchboard.client, 'Connections');
  });
});
