import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { visit } from '../http/connect/support/visit.js';
import { browserTestsWanted, launchChromium } from '../http/graphiql/support/chromium.js';
import { type MadeSession, makeSession } from '../support/sessionFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createWebhookConnection, publish, subscribe } from '../support/webhookFlow.js';

describe.runIf(browserTestsWanted())('<switchboard-console>', () => {
  let browser: Browser;
  let switchboard: TestSwitchboard;
  beforeAll(async () => {
    [browser, switchboard] = await Promise.all([launchChromium(), startSwitchboard()]);
  });
  afterAll(() => Promise.all([browser?.close(), switchboard?.close()]));

  /** A page of another origin with the element, and the session that it is for. */
  async function host(permissions = ['MANAGE'], forOrigin?: string): Promise<{ origin: string; session: MadeSession }> {
    let markup = '';
    const server = createServer((_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(markup));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
    const session = await makeSession(switchboard.client, { permissions, origin: forOrigin ?? origin });
    markup = `<!doctype html><title>Shop</title><body style="margin:0">
<script>window.heard = []; addEventListener('switchboard-state', ({ detail }) => heard.push(detail.state));</script>
<script type="module" src="${switchboard.publicUrl}/console.js"></script>
<switchboard-console token="${session.token}" accent="#0a7d5a"></switchboard-console></body>`;
    return { origin, session };
  }

  it('shows the console in a page of its session, grows with it, and leaves the history of the page alone', async () => {
    const connection = await createWebhookConnection(switchboard.client, `${switchboard.publicUrl}/sandbox/inbox/framed`);
    await subscribe(switchboard.client, connection);
    for (let events = 0; events < 6; events += 1) await publish(switchboard.client);
    const { origin, session } = await host();
    const { page, complaints } = await visit(browser, { viewport: { width: 1000, height: 700 } });
    await page.goto(origin);
    const frame = page.frameLocator('switchboard-console iframe');
    await frame.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    await frame.getByText('Latest deliveries').waitFor();
    // The page scrolls, and the frame has no scrollbar of its own.
    const heights = () =>
      page.evaluate<[number, number]>(
        `[document.querySelector('switchboard-console').shadowRoot.querySelector('iframe').clientHeight, document.body.scrollHeight]`,
      );
    await expect.poll(async () => (await heights())[0], { timeout: 15_000 }).toBeGreaterThan(600);
    const accent = "getComputedStyle(document.documentElement).getPropertyValue('--accent').trim()";
    expect(await page.frames()[1]?.evaluate(accent)).toBe('#0a7d5a');
    const before = await page.evaluate('history.length');
    await frame.getByRole('link', { name: 'Deliveries', exact: true }).click();
    await frame.getByRole('heading', { level: 1, name: 'Deliveries' }).waitFor();
    await frame.locator('.feed .line').first().waitFor();
    expect(await page.evaluate('history.length')).toBe(before);
    expect(page.url()).toBe(`${origin}/`);
    // A session that ends is over for the page around, too, which brings a new one.
    await switchboard.client.query('mutation ($id: ID!) { endSession(input: { id: $id }) { userErrors { code } } }', {
      id: session.id,
    });
    await frame.getByRole('link', { name: 'Connections' }).click();
    await frame.getByText('Your session was ended').waitFor();
    await expect.poll(() => page.evaluate('heard'), { timeout: 15_000 }).toEqual(['open', 'over']);
    expect(complaints).toEqual([]);
  });

  it('is refused by the browser in a page of another origin than its session names, and for one that names none', async () => {
    const { origin } = await host(['VIEW'], 'https://app.example.com');
    const { page, complaints } = await visit(browser);
    await page.goto(origin);
    await expect.poll(() => complaints.join(' '), { timeout: 15_000 }).toMatch(/frame-ancestors/);
    const { token } = await makeSession(switchboard.client, { permissions: ['VIEW'] });
    for (const one of [token, 'ses_nobody']) {
      const { headers } = await fetch(`${switchboard.publicUrl}/console/embedded/${one}`);
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    }
  });

  it('comes as a module that every site may load, with types beside it', async () => {
    for (const name of ['console.js', 'console.d.ts']) {
      const answer = await fetch(`${switchboard.publicUrl}/${name}`);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
      const code = await answer.text();
      expect(Buffer.byteLength(code)).toBeLessThan(10_000);
      expect(code).not.toMatch(/^\s*import\b|import\(|\beval\(|new Function/m);
    }
  });
});
