import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Repeats `check` until it returns without throwing, for work in the background. Returns its result. Only a failing test
 * waits for all of `withinMs`, which is long enough for a busy machine.
 */
export async function eventually<T>(check: () => T | Promise<T>, { withinMs = 25_000 } = {}): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(50);
    }
  }
}
