import type { Settlement } from './Settlement.js';

/** What a batch of results says about one connection. */
export interface HealthTally {
  readonly connectionId: number;
  /** A good answer came. */
  succeeded: boolean;
  /** Attempts without a good answer, since the last good one. */
  failures: number;
  /** When the first of those began, in ms since 1970. */
  failingSinceMs: number | null;
  /** The probe of a paused connection came back. */
  probed: boolean;
  throttledUntilMs: number | null;
}

/**
 * Sums up a batch by connection, in the order in which the results came. Connections that are and were well do not
 * appear: on the usual day nothing has to be written about health.
 *
 * @param ailing connections that failed in earlier batches; kept up to date here. A success that was claimed before a
 *   failure but came in after it would else be taken for one of a healthy connection, and the failure stay on record.
 */
export function tallyHealth(batch: readonly Settlement[], ailing: Set<number>): HealthTally[] {
  const tallies = new Map<number, HealthTally>();
  const unwell = new Set<number>();
  for (const result of batch) {
    const { connectionId } = result;
    let tally = tallies.get(connectionId);
    if (!tally) {
      tally = { connectionId, succeeded: false, failures: 0, failingSinceMs: null, probed: false, throttledUntilMs: null };
      tallies.set(connectionId, tally);
    }
    count(tally, result);
    if (result.verdict === 'bad') ailing.add(connectionId);
    if (result.verdict !== 'good' || result.ailing || result.probe || ailing.has(connectionId)) unwell.add(connectionId);
    if (result.verdict === 'good') ailing.delete(connectionId);
  }
  return [...tallies.values()].filter((tally) => unwell.has(tally.connectionId) && saysSomething(tally));
}

function count(tally: HealthTally, { verdict, attempt, probe, throttledUntilMs }: Settlement): void {
  if (probe) tally.probed = true;
  if (throttledUntilMs !== null) tally.throttledUntilMs = Math.max(throttledUntilMs, tally.throttledUntilMs ?? 0);
  if (verdict === 'good') Object.assign(tally, { succeeded: true, failures: 0, failingSinceMs: null });
  if (verdict !== 'bad') return;
  tally.failures++;
  tally.failingSinceMs ??= attempt?.startedAtMs ?? null;
}

function saysSomething({ succeeded, failures, probed, throttledUntilMs }: HealthTally): boolean {
  return succeeded || failures > 0 || probed || throttledUntilMs !== null;
}
