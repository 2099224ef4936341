import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { expect } from 'vitest';
import { type Visit, visit } from '../../http/connect/support/visit.js';
import type { GraphQLClient } from '../../support/GraphQLClient.js';
import type { TestSwitchboard } from '../../support/startSwitchboard.js';

/** A browser at the console, signed in with a client's keys unless told otherwise. */
export async function openConsole(
  browser: Browser,
  switchboard: TestSwitchboard,
  options: BrowserContextOptions & { readonly client?: GraphQLClient | null } = {},
): Promise<Visit> {
  const { client = switchboard.client, ...context } = options;
  const visitor = await visit(browser, { viewport: { width: 1280, height: 800 }, ...context });
  await visitor.page.goto(switchboard.publicUrl);
  if (client) await signIn(visitor.page, client);
  return visitor;
}

/** Signs in, and waits for the screen that the address names. */
export async function signIn(page: Page, { keys }: GraphQLClient, screen = 'Overview'): Promise<void> {
  await page.getByLabel('Public key').fill(keys.publicKey);
  await page.getByLabel('Secret key').fill(keys.secretKey);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { level: 1, name: screen }).waitFor();
}

/** Nothing was asked of any other origin, and the browser complained about nothing. */
export function expectQuiet({ requests, complaints }: Visit, switchboard: TestSwitchboard): void {
  const origins = new Set(requests.map(({ url }) => new URL(url).origin).filter((origin) => origin !== 'null'));
  expect(origins).toEqual(new Set([switchboard.publicUrl]));
  expect(complaints).toEqual([]);
}
