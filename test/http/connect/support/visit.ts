import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export interface Visit {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Every address that was asked for. */
  readonly requests: { readonly url: string; readonly referrer: string | undefined }[];
  /** What the browser complained about; a status that is no success is no complaint. */
  readonly complaints: string[];
}

/** A browser of its own, which ends with the test and notes what must not happen. */
export async function visit(browser: Browser, options: BrowserContextOptions = {}): Promise<Visit> {
  // Axe is brought in by us, past the page's policy; that the policy holds is tested by itself.
  const context = await browser.newContext({ viewport: { width: 390, height: 800 }, locale: 'en-US', ...options });
  onTestFinished(() => context.close());
  const requests: Visit['requests'] = [];
  const complaints: string[] = [];
  context.on('request', (request) => requests.push({ url: request.url(), referrer: request.headers().referer }));
  context.on('console', (message) => {
    if (message.type() === 'error' && !/status of \d+/.test(message.text())) complaints.push(message.text());
  });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(error.message));
  return { context, page, requests, complaints };
}

/** Runs axe over a page with all its rules but the experimental ones, and finds nothing. */
export async function expectAccessible(page: Page): Promise<void> {
  // Straight into the page, since its policy lets no script in.
  await page.evaluate(AXE);
  const violations = await page.evaluate<unknown[]>(
    `axe.run(document).then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => [html, failureSummary])]))`,
  );
  expect(violations).toEqual([]);
}

/** How much wider a page is than its window, in pixels. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}
