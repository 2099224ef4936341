import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until a check no longer throws; after `timeoutMs` its error is the test's. */
export async function eventually(check: () => unknown, timeoutMs = 5_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (true) {
    try {
      await check();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(10);
    }
  }
}
