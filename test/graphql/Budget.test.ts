import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Budget } from '../../src/graphql/Budget.js';

describe('The rows of an operation’s lists', () => {
  const budget = () => new Budget({ rows: 1_000, bytes: 1_000_000 }, () => false);
  const rows = (count: number) => Array.from({ length: count }, (_, index) => index);

  it('are answered at once while they are few', () => {
    expect(budget().inSlices(rows(50))).toEqual(rows(50));
  });

  it('beyond the first slice are answered slice by slice, and the event loop turns between', async () => {
    const lists = budget();
    const answered: number[] = [];
    const turns: number[] = [];
    const all = [lists.inSlices(rows(30)), lists.inSlices(rows(30)), lists.inSlices(rows(100))].flat();
    const answering = Promise.all(all.map(async (row) => answered.push((await row) as number)));
    for (let turn = 0; turn < 5; turn += 1) {
      await Promise.resolve();
      await setImmediate();
      turns.push(answered.length);
    }
    await answering;
    expect(answered).toEqual([...rows(30), ...rows(30), ...rows(100)]);
    // 50 at once, then 50 a turn.
    expect(turns.at(-1)).toBe(160);
    expect(new Set(turns).size).toBeGreaterThanOrEqual(3);
  });
});
