import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FairTurns, type Turn } from '../../../src/http/limits/FairTurns.js';

/** Starts calls of a caller. Returns how many have begun, and a function that ends those. */
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

describe('FairTurns', () => {
  it('lets a caller without others make any number of calls at once', async () => {
    const turns = new FairTurns();
    const { all } = calls(turns, 'alone', 200, 50);
    expect(await all).toHaveLength(200);
  });

  it('lets every caller make ordinary calls at once while the process is not busy', async () => {
    const turns = new FairTurns();
    const many = calls(turns, 'much', 100);
    const few = calls(turns, 'little', 3);
    expect(await many.all).toHaveLength(100);
    expect(await few.all).toHaveLength(3);
  });

  it('does bulky calls one at a time when there are other callers, delays none of the others, and finishes all calls', async () => {
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

  it('does calls that turn out bulky one at a time too; a waiting call that leaves passes its turn on', async () => {
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

  it('limits how many calls of a caller wait, and refuses more', async () => {
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
