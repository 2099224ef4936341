import type pg from 'pg';
import type { Database } from '../../database/Database.js';
import type { Logger } from '../../domain/Logger.js';
import type { ClaimLoop } from './ClaimLoop.js';
import { disableConnection, type OnConnectionDisabled } from './disableConnection.js';
import type { EngineOptions } from './EngineOptions.js';
import type { Lanes } from './Lanes.js';
import { type HealthFinding, recordHealth } from './recordHealth.js';
import type { Settlement } from './Settlement.js';
import type { Settler } from './Settler.js';
import type { Sweeper } from './Sweeper.js';
import { tallyHealth } from './tallyHealth.js';
import { handBack } from './toSettlement.js';

interface OutcomesParts {
  readonly database: Database;
  readonly pool: pg.Pool;
  readonly options: EngineOptions;
  readonly log: Logger;
  readonly loop: ClaimLoop;
  readonly lanes: Lanes;
  readonly settler: Settler;
  readonly sweeper: Sweeper;
  readonly onConnectionDisabled: OnConnectionDisabled;
}

/** What follows from written results: the connections' health, the breaker's pauses, connections that are disabled. */
export class Outcomes {
  readonly #parts: OutcomesParts;
  readonly #ailing = new Set<number>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #closed = false;

  constructor(parts: OutcomesParts) {
    this.#parts = parts;
  }

  /** Never rejects: health that could not be written is made up for by the next results. */
  async settled(batch: readonly Settlement[]): Promise<void> {
    const { pool, options, log, loop } = this.#parts;
    this.#wakeInTime(batch);
    try {
      for (const finding of await recordHealth(pool, tallyHealth(batch, this.#ailing), options)) await this.#follow(finding);
      for (const [connectionId, reason] of reasonsToDisable(batch)) await this.#disable(connectionId, reason, false);
    } catch (error) {
      log.error({ error: String(error) }, "Could not record connections' health");
    }
    if (batch.some(({ probe, verdict }) => probe && verdict !== 'bad')) loop.wake();
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  async #follow({ connectionId, paused, hopeless }: HealthFinding): Promise<void> {
    const { lanes, settler, options } = this.#parts;
    if (paused) for (const claim of lanes.drop(connectionId)) settler.add(handBack(claim));
    if (hopeless) await this.#disable(connectionId, `Every delivery failed for ${inWords(options.disableAfterMs)}.`, true);
  }

  async #disable(connectionId: number, reason: string, failing: boolean): Promise<void> {
    const { database, onConnectionDisabled, log, sweeper, loop } = this.#parts;
    if (!(await disableConnection(database, connectionId, { reason, failing }, onConnectionDisabled))) return;
    log.warn({ connectionId, reason }, 'A connection was disabled');
    sweeper.wake();
    // Who was told may have published about it.
    loop.wake();
  }

  /** Retries that are due, and rate limits that are over, before the loop looks by itself. */
  #wakeInTime(batch: readonly Settlement[]): void {
    const { loop, options } = this.#parts;
    const now = Date.now();
    const soon = batch
      .filter(({ state, throttledUntilMs }) => state === 'retrying' || throttledUntilMs !== null)
      .map(({ waitMs, throttledUntilMs }) => (throttledUntilMs === null ? waitMs : Math.max(0, throttledUntilMs - now)))
      .filter((waitMs) => waitMs < options.pollMs);
    if (this.#closed || soon.length === 0) return;
    for (const waitMs of new Set([Math.min(...soon), Math.max(...soon)])) {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        loop.wake();
      }, waitMs + 1);
      this.#timers.add(timer);
    }
  }
}

function reasonsToDisable(batch: readonly Settlement[]): Map<number, string> {
  const reasons = new Map<number, string>();
  for (const { connectionId, disableReason } of batch) if (disableReason) reasons.set(connectionId, disableReason);
  return reasons;
}

/** 432000000 → "5 days". */
function inWords(ms: number): string {
  const days = ms / 86_400_000;
  return days >= 1 ? `${Math.round(days)} days` : `${Math.round(ms / 1_000)} seconds`;
}
