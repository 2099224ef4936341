import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Tries until `check` returns without throwing, for what happens in the background; then returns what it returned. Only a
 * test that fails waits for all of `withinMs`: it is for machines that have ten other things to do.
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
