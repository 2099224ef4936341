import type { ProblemList } from '../domain/ProblemList.js';

/** What a connection may be given at most, over all processes; null and undefined as in the inputs. */
export interface PaceInput {
  readonly maxConcurrency?: number | null;
  readonly maxPerSecond?: number | null;
}

const MOST = { maxConcurrency: 1_000, maxPerSecond: 10_000 } as const;

/** Checks how much a connection may be given. Problems go to the list. */
export function checkPace(input: PaceInput, problems: ProblemList): void {
  for (const name of ['maxConcurrency', 'maxPerSecond'] as const) {
    const value = input[name];
    if (value === null || value === undefined) continue;
    if (value < 1) problems.add('MIN_VALUE', `${name} is at least 1; null takes the limit away.`, name);
    if (value > MOST[name]) problems.add('MAX_VALUE', `${name} is at most ${MOST[name]}.`, name);
  }
}
