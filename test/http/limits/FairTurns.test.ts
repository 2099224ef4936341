import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FairTurns, type Turn } from '../../../src/http/limits/FairTurns.js';

/** How many of some calls of a caller have begun, and a way to end those. */
function calls(turns: FairTurns, caller: string, count: number, units?: number) {
  const begun: Turn[] = [];
  const all = Promise.all(
    Array.from({ length: count }, async () => {
      const turn = await turns.enter(caller, units);
      begun.push(turn);
      return turn;
    }),
  );
  return { begun, all };
}

describe('Callers take turns', () => {
  it('but whoever is alone does not, however much he asks for', async () => {
    const turns = new FairTurns();
    const { all } = calls(turns, 'alone', 200, 50);
    expect(await all).toHaveLength(200);
  });

  it('nor does anybody with ordinary calls, while there is time for everybody', async () => {
    const turns = new FairTurns();
    const many = calls(turns, 'much', 100);
    const few = calls(turns, 'little', 3);
    expect(await many.all).toHaveLength(100);
    expect(await few.all).toHaveLength(3);
  });

  it('with bulky calls beside others: one at a time, while the others go on; all of them in the end', async () => {
    const turns = new FairTurns();
    (await turns.enter('little')).leave();
    const { begun, all } = calls(turns, 'much', 5, 20);
    await sleep(10);
    expect(begun).toHaveLength(1);
    const little = await turns.enter('little');
    for (let ended = 0; ended < 5; ended += 1) {
      while (begun.length === ended) await sleep(5);
      expect(begun).toHaveLength(ended + 1);
      begun[ended]?.leave();
    }
    expect(await all).toHaveLength(5);
    little.leave();
  });

  it('also with those that turn out to be bulky after they began; one that leaves while it waits hands its turn on', async () => {
    const turns = new FairTurns();
    (await turns.enter('little')).leave();
    const { all } = calls(turns, 'much', 4);
    const begun = await all;
    const grown: number[] = [];
    const growing = begun.map((turn, index) => turn.grow(50).then(() => grown.push(index)));
    await sleep(10);
    expect(grown).toEqual([0]);
    begun[1]?.leave();
    begun[0]?.leave();
    while (grown.length < 3) await sleep(5);
    expect(grown).toEqual([0, 1, 2]);
    begun[2]?.leave();
    await Promise.all(growing);
    begun[3]?.leave();
  });

  it('so many of a caller wait, and more are refused', async () => {
    const turns = new FairTurns();
    (await turns.enter('little')).leave();
    const begun = await turns.enter('much', 20);
    const waiting = calls(turns, 'much', 1_000, 20);
    await expect(turns.enter('much', 20)).rejects.toMatchObject({ code: 'RATE_LIMITED', facts: { retryAfterSeconds: 1 } });
    await sleep(10);
    expect(waiting.begun).toHaveLength(0);
    begun.leave();
    begun.leave();
  });
});
