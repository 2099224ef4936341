import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const EXECUTABLE = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

/**
 * Returns whether browser tests can run. In CI they always run, so that a missing browser fails instead of skipping them.
 */
export function browserTestsWanted(): boolean {
  if (existsSync(EXECUTABLE) || process.env.CI === 'true') return true;
  console.warn(`Browser tests are skipped: there is no Chromium at ${EXECUTABLE} (CHROMIUM_PATH says where else to look).`);
  return false;
}

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: EXECUTABLE,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
