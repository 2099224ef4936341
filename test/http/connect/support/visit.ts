import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export interface Visit {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Every address that was requested. */
  readonly requests: { readonly url: string; readonly referrer: string | undefined }[];
  /** Errors in the browser's console, without those about the status of a response. */
  readonly complaints: string[];
}

/** Opens a separate browser context that ends with the test, and records requests and errors. */
export async function visit(browser: Browser, options: BrowserContextOptions = {}): Promise<Visit> {
  // Axe is injected past the page's policy. Other tests cover the policy.
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

/** Expects that axe finds no problem on a page, with all its rules but the experimental ones. */
export async function expectAccessible(page: Page): Promise<void> {
  // The script is evaluated directly, since the page's policy allows none.
  await page.evaluate(AXE);
  const violations = await page.evaluate<unknown[]>(
    `axe.run(document).then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => [html, failureSummary])]))`,
  );
  expect(violations).toEqual([]);
}

/** Returns by how many pixels a page is wider than its window. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}
