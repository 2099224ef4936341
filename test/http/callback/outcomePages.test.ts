import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import fastify from 'fastify';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authorization } from '../../../src/domain/Authorization.js';
import { type OutcomePage, outcomePage, unexpectedPage } from '../../../src/http/callback/outcomePage.js';
import { sendPage } from '../../../src/http/pages.js';
import type { CallbackOutcome } from '../../../src/oauth/completeAuthorization.js';
import type { Provider } from '../../../src/oauth/Provider.js';
import { browserTestsWanted, launchChromium } from '../graphiql/support/chromium.js';

const LONG = 'Wohltätigkeitsverein-für-Versandverpackungen-und-Zustellbenachrichtigungen-GmbH-und-Co-KG';
const attempt = (changes: Partial<Authorization> = {}): Authorization =>
  ({
    id: '01890a5d-ac96-774b-bcce-b302099a8057',
    accountName: null,
    errorCode: null,
    errorDescription: null,
    returnTo: null,
    ...changes,
  }) as Authorization;
const failed = (errorCode: string, errorDescription: string | null = null): CallbackOutcome => ({
  kind: 'failed',
  authorization: attempt({ errorCode, errorDescription, returnTo: 'https://app.example.com/settings' }),
});

const OUTCOMES: Record<string, CallbackOutcome> = {
  completed: { kind: 'completed', authorization: attempt({ accountName: 'Acme', returnTo: 'https://app.example.com/' }) },
  'completed-receiving': { kind: 'completed', authorization: attempt({ accountName: 'Acme' }) },
  'completed-unknown-account': { kind: 'completed', authorization: attempt() },
  'completed-long-name': { kind: 'completed', authorization: attempt({ accountName: LONG }) },
  denied: {
    kind: 'denied',
    authorization: attempt({
      errorCode: 'access_denied',
      errorDescription: 'The resource owner or authorization server denied the request',
    }),
  },
  expired: { kind: 'expired', authorization: attempt({ errorCode: 'expired', returnTo: 'https://app.example.com/' }) },
  superseded: { kind: 'superseded', authorization: attempt() },
  'in-progress': { kind: 'in_progress', authorization: attempt() },
  refused: { kind: 'refused', code: 'invalid_callback', authorization: attempt() },
  'refused-other-browser': { kind: 'refused', code: 'browser_mismatch', authorization: attempt() },
  'unknown-state': { kind: 'unknown_state' },
  'failed-unavailable': failed('provider_unavailable', 'Klaviyo answered 502 without a readable reason.'),
  'failed-timeout': failed('provider_timeout', 'Klaviyo did not answer in time.'),
  'failed-limited': failed('rate_limited', 'Klaviyo is limiting requests at the moment.'),
  'failed-grant': failed('invalid_grant', 'Klaviyo refused the grant (invalid_grant): The code has expired'),
  'failed-client': failed('invalid_client', "Klaviyo refused this server's own credentials (invalid_client)."),
  'failed-mismatch': failed('account_mismatch', 'This is another Klaviyo account (Other) than the connection belongs to (Acme).'),
  'failed-account-unknown': failed(
    'account_unknown',
    'Klaviyo did not say which account this is, and the connection belongs to one already.',
  ),
  'failed-deleted': failed('connection_deleted', 'The connection was deleted in the meantime.'),
  'failed-interrupted': failed('interrupted', 'The server was stopped while it exchanged the code.'),
  'failed-internal': failed('internal_error', 'The server could not complete the authorization.'),
  'failed-long': failed(`x${'_'.repeat(60)}`, LONG.repeat(5)),
};

const provider = { name: 'Klaviyo', sandbox: false } as Provider;
const pages: Record<string, OutcomePage> = {
  ...Object.fromEntries(Object.entries(OUTCOMES).map(([name, outcome]) => [name, outcomePage(outcome, provider)])),
  'completed-receiving': outcomePage(OUTCOMES['completed-receiving'] as CallbackOutcome, provider, { receivesEvents: true }),
  'completed-lacking': outcomePage(OUTCOMES['completed-receiving'] as CallbackOutcome, provider, {
    receivesEvents: true,
    maySend: false,
  }),
  sandbox: outcomePage(OUTCOMES.completed as CallbackOutcome, { ...provider, sandbox: true }),
  unexpected: unexpectedPage('3f2b8c1e-5a1d-4f7e-9d1b-0c7f3a9e2b11'),
};

describe('Every page of the callback', () => {
  it.each(Object.entries(pages))(
    '%s says what happened and what to do next, without technical terms',
    (_name, { title, body }) => {
      expect(title.length).toBeLessThan(120);
      const paragraphs = [...body.markup.matchAll(/<p>([^<]+)<\/p>/g)].map(([, text]) => text);
      expect(paragraphs.length).toBeGreaterThanOrEqual(2);
      expect(body.markup).not.toMatch(
        /token|OAuth|authorization |parameter|PKCE|exchange|undefined|null|grant|invalid_|access_denied|resource owner|client/,
      );
    },
  );
});

it('An account name with markup is shown as text, in the title too', async () => {
  const accountName = '</title><script>alert(1)</script>"\'&amp;';
  const connected: CallbackOutcome = { kind: 'completed', authorization: attempt({ accountName }) };
  const mismatch: CallbackOutcome = {
    kind: 'failed',
    authorization: attempt({ accountName, errorCode: 'account_mismatch', returnTo: 'https://app.example.com/' }),
  };
  const app = fastify();
  for (const [path, outcome] of Object.entries({ connected, mismatch }))
    app.get(`/${path}`, (_request, reply) => sendPage(reply, outcomePage(outcome, provider)));
  for (const path of ['/connected', '/mismatch']) {
    const { payload } = await app.inject(path);
    expect(payload).toContain('&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;amp;');
    expect(payload).not.toContain('<script');
    expect(payload.match(/<\/title>/g)).toHaveLength(1);
  }
});

describe.runIf(browserTestsWanted())('In a browser, every page of the callback', () => {
  let browser: Browser;
  let app: FastifyInstance;
  let origin: string;
  beforeAll(async () => {
    app = fastify({ forceCloseConnections: true });
    for (const [name, page] of Object.entries(pages)) app.get(`/${name}`, (_request, reply) => sendPage(reply, page));
    [browser, origin] = await Promise.all([launchChromium(), app.listen({ port: 0, host: '127.0.0.1' })]);
  });
  afterAll(() => Promise.all([browser?.close(), app?.close()]));

  it.each([
    ['phone', 390, 'light'],
    ['small phone', 320, 'dark'],
    ...(process.env.CALLBACK_SCREENSHOTS ? ([['desktop', 1280, 'dark']] as const) : []),
  ] as const)('fits a %s (%i px, %s)', async (device, width, colorScheme) => {
    const folder = process.env.CALLBACK_SCREENSHOTS;
    if (folder) await mkdir(folder, { recursive: true });
    const page = await browser.newPage({ viewport: { width, height: 700 }, colorScheme });
    const complaints: string[] = [];
    page.on('console', (message) => {
      // The browser also reports the status of the page itself here.
      if (message.type() === 'error' && !/status of \d+/.test(message.text())) complaints.push(message.text());
    });
    for (const name of Object.keys(pages)) {
      await page.goto(`${origin}/${name}`);
      const { overflow, styled } = await page.evaluate<{ overflow: number; styled: boolean }>(`({
        overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        styled: getComputedStyle(document.querySelector('main')).maxWidth === '480px',
      })`);
      expect({ name, overflow, styled }).toEqual({ name, overflow: 0, styled: true });
      if (folder) await page.screenshot({ path: join(folder, `${device} ${name}.png`) });
    }
    await page.close();
    expect(complaints).toEqual([]);
  });
});
