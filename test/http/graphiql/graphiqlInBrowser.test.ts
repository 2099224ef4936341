import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { browserTestsWanted, launchChromium } from './support/chromium.js';
import { graphiqlApp } from './support/graphiqlApp.js';

const examples = [
  { name: 'Say hello', query: 'query Hello($name: String) {\n  greeting(name: $name)\n}\n', variables: '{ "name": "Ada" }' },
  { name: 'Who is calling', query: 'query WhoIsCalling {\n  authorization\n}\n' },
];

describe.runIf(browserTestsWanted())('GraphiQL in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  /** Opens the page and records foreign requests and errors. */
  async function visit(origin: string): Promise<{ page: Page; foreign: string[]; complaints: string[] }> {
    const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
    onTestFinished(() => context.close());
    const page = await context.newPage();
    const foreign: string[] = [];
    const complaints: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith('data:')) foreign.push(request.url());
    });
    page.on('console', (message) => {
      if (message.type() === 'error' || /Content.Security.Policy/i.test(message.text())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.setDefaultTimeout(8_000);
    await page.goto(`${origin}/graphiql`);
    await page.waitForSelector('.graphiql-query-editor .CodeMirror');
    return { page, foreign, complaints };
  }

  const execute = (page: Page) => page.click('button.graphiql-execute-button');
  const responseWith = (page: Page, text: string) => page.waitForSelector(`.result-window :text("${text}")`);

  it('opens the examples as tabs and gets a real answer on the first click', async () => {
    const { origin } = await graphiqlApp({ examples, defaultHeaders: { Authorization: 'Basic abc' } });
    const { page, foreign, complaints } = await visit(origin);
    expect(await page.title()).toBe('Switchboard · GraphiQL');
    expect(await page.locator('.graphiql-tab').allInnerTexts()).toEqual(['Hello', 'WhoIsCalling']);
    expect(await page.locator('.graphiql-query-editor').textContent()).toContain('# Say hello');
    await execute(page);
    await responseWith(page, 'Hello Ada');
    await page.screenshot({ path: process.env.GRAPHIQL_SCREENSHOT });
    expect({ foreign, complaints }).toEqual({ foreign: [], complaints: [] });
  });

  it('opens the operation of a link in a tab, on the first visit and later, and leaves it to the reader to execute it', async () => {
    const { origin } = await graphiqlApp({ examples, defaultHeaders: { Authorization: 'Basic abc' } });
    const { page } = await visit(origin);
    const link = (name: string) =>
      `${origin}/graphiql#${new URLSearchParams({ query: `query Linked${name}($name: String) { greeting(name: $name) }`, variables: `{"name": "${name}"}` })}`;
    for (const name of ['Grace', 'Edsger']) {
      // Another fragment alone loads no page.
      await page.goto('about:blank');
      await page.goto(link(name));
      await page.waitForSelector(`.graphiql-tab-active :text("Linked${name}"), .graphiql-tab-active:has-text("Linked${name}")`);
      expect(page.url()).toBe(`${origin}/graphiql`);
      expect(await page.locator('.result-window').textContent()).not.toContain('Hello');
      await execute(page);
      await responseWith(page, `Hello ${name}`);
    }
    // In a browser that never was here, the link's tab stands before the examples.
    const context = await browser.newContext();
    onTestFinished(() => context.close());
    const fresh = await context.newPage();
    await fresh.goto(link('Barbara'));
    await fresh.waitForSelector('.graphiql-query-editor .CodeMirror');
    expect(await fresh.locator('.graphiql-tab').allInnerTexts()).toEqual(['LinkedBarbara', 'Hello', 'WhoIsCalling']);
    await execute(fresh);
    await responseWith(fresh, 'Hello Barbara');
  });

  it('sends the prefilled headers from every tab, and the current ones after a reload', async () => {
    const options = { examples, defaultHeaders: { Authorization: 'Basic first' } };
    const { origin, app } = await graphiqlApp(options);
    const { page } = await visit(origin);
    await page.click('.graphiql-tab >> text=WhoIsCalling');
    await execute(page);
    await responseWith(page, 'Basic first');
    expect(await page.evaluate(() => JSON.stringify({ ...localStorage }))).not.toContain('Basic');
    expect(await page.evaluate(() => Object.keys(localStorage).every((key) => key.startsWith('switchboard:')))).toBe(true);

    // The server has restarted with a new database: the browser is the same, the credentials are new.
    await page.waitForTimeout(700);
    await page.route(`${origin}/graphiql`, async (route) =>
      route.fulfill({
        headers: { 'content-type': 'text/html' },
        body: (await app.inject('/graphiql')).body.replace('Basic first', 'Basic second'),
      }),
    );
    await page.reload();
    await page.waitForSelector('.graphiql-query-editor .CodeMirror');
    expect(await page.locator('.graphiql-tab').allInnerTexts()).toEqual(['Hello', 'WhoIsCalling']);
    await page.click('.graphiql-tab >> text=WhoIsCalling');
    await execute(page);
    await responseWith(page, 'Basic second');
    await page.click('button[aria-label="Show History"]');
    await page.click('.graphiql-history-item-label >> nth=-1');
    await execute(page);
    await responseWith(page, 'Basic second');
    expect(await page.evaluate(() => JSON.stringify({ ...localStorage }))).not.toContain('Basic');
  });

  it('shows the documentation of the schema', async () => {
    const { origin } = await graphiqlApp({ examples });
    const { page, foreign, complaints } = await visit(origin);
    await page.click('button[aria-label="Show Documentation Explorer"]');
    await page.click('.graphiql-doc-explorer a:text-is("Query")');
    await page.waitForSelector('.graphiql-doc-explorer :text("Said by the test.")');
    await page.click('button[aria-label="Open settings dialog"]');
    await page.waitForSelector('.graphiql-dialog');
    expect({ foreign, complaints }).toEqual({ foreign: [], complaints: [] });
  });

  it('opens its websocket to our own origin', async () => {
    const { origin } = await graphiqlApp({ examples: [...examples, { name: 'Live', query: 'subscription Live { ticks }' }] });
    const { page, complaints } = await visit(origin);
    await page.click('.graphiql-tab >> text=Live');
    const opened = page.waitForEvent('websocket');
    await execute(page);
    expect((await opened).url()).toBe(`${origin.replace('http', 'ws')}/graphql`);
    expect(complaints.filter((text) => /Content.Security.Policy/i.test(text))).toEqual([]);
  });
});
