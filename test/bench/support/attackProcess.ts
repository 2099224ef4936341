import { attacks, type Target } from './attacks.js';

/** What is told over IPC: which attack, on whom, and for how long. */
export interface AttackOrder {
  readonly index: number;
  readonly target: Target;
  readonly seconds: number;
}

/** How it went: answers by their status, `0` for none, and the largest one in bytes. */
export interface AttackOutcome {
  readonly statuses: Record<number, number>;
  readonly largest: number;
}

/** An attacker in a process of its own, who shares nothing with those who are measured. Attacks once, and ends. */
process.once('message', async ({ index, target, seconds }: AttackOrder) => {
  const attack = attacks[index];
  const calls = attack?.calls(target) ?? [];
  const until = performance.now() + seconds * 1_000;
  const statuses: Record<number, number> = {};
  let largest = 0;
  let next = 0;
  await Promise.all(
    Array.from({ length: attack?.clients ?? 0 }, async () => {
      while (performance.now() < until) {
        const [path, init] = calls[next++ % calls.length] ?? ['/', {}];
        const status = await fetch(`${target.origin}${path}`, init).then(
          async (response) => {
            largest = Math.max(largest, (await response.arrayBuffer()).byteLength);
            return response.status;
          },
          () => 0,
        );
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
    }),
  );
  process.send?.({ statuses, largest } satisfies AttackOutcome);
  process.disconnect();
});
