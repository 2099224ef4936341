import { setMaxListeners } from 'node:events';
import type { DeliveryJob, DestinationConnection } from '../DeliveryJob.js';
import type { Destination, DestinationBatch } from '../Destination.js';
import type { ClaimedDelivery } from './claimDeliveries.js';
import { handBack, ownFault, type Settlement, toSettlement } from './Settlement.js';

export interface AttemptsOptions {
  readonly destinations: ReadonlyMap<string, Destination>;
  readonly retryDelaysMs: readonly number[];
  readonly onDone: (claim: ClaimedDelivery, settlement: Settlement) => void;
  /** Called with a delivery that could not go in its batch. */
  readonly onAlone: (claim: ClaimedDelivery) => void;
  readonly onFault: (claim: ClaimedDelivery, error: unknown) => void;
}

interface Running {
  readonly claim: ClaimedDelivery;
  /** `performance.now()`. */
  readonly startedAt: number;
  /** `performance.now()` at which the destination's maximum duration plus `PATIENCE_MS` is over. */
  readonly overdueAt: number;
}

/** Milliseconds beyond the destination's maximum duration after which an attempt is written off. */
const PATIENCE_MS = 2_000;

/** Milliseconds that a probe may take. It tests whether a receiver works again, and one that works answers soon. */
const PROBE_TIMEOUT_MS = 5_000;

/** The attempts in flight. Each ends exactly once: with its result, with an internal fault, or by being written off. */
export class Attempts {
  readonly #options: AttemptsOptions;
  readonly #running = new Set<Running>();
  /** All attempts share one controller because they are only ever aborted together. */
  readonly #controller = new AbortController();
  #idle: (() => void) | undefined;

  constructor(options: AttemptsOptions) {
    this.#options = options;
    setMaxListeners(0, this.#controller.signal);
  }

  start(claim: ClaimedDelivery, connection: DestinationConnection): void {
    const destination = this.#options.destinations.get(connection.type);
    const running = this.#begin(claim, destination);
    if (!destination) {
      this.#fail(running, new Error(`There is no destination for connections of type ${connection.type}.`));
      return;
    }
    destination.deliver(toJob(running, connection), this.#controller.signal).then(
      (result) => this.#end(running, toSettlement(claim, result, running.startedAt, this.#options.retryDelaysMs)),
      (error) => this.#fail(running, error),
    );
  }

  /** Attempts deliveries of one connection in one request. Each gets its own result. */
  startTogether(
    claims: readonly ClaimedDelivery[],
    connection: DestinationConnection,
    destination: Destination,
    batch: DestinationBatch,
  ): void {
    const together = claims.map((claim) => this.#begin(claim, destination));
    const jobs = together.map((running) => toJob(running, connection));
    batch.deliver(jobs, this.#controller.signal).then(
      (results) => {
        let told = false;
        for (const [index, running] of together.entries()) {
          const result = results[index];
          if (!result) this.#fail(running, new Error('The destination returned no result for a delivery of a batch.'));
          else if (result.kind === 'alone') this.#leave(running);
          else {
            const settlement = toSettlement(running.claim, result, running.startedAt, this.#options.retryDelaysMs);
            // A failed request counts as one failure of the connection, however many deliveries it carried.
            const again = told && settlement.verdict === 'bad';
            if (settlement.verdict === 'bad') told = true;
            this.#end(running, again ? { ...settlement, verdict: null } : settlement);
          }
        }
      },
      (error) => {
        for (const running of together) this.#fail(running, error);
      },
    );
  }

  /** Writes off attempts whose destination exceeded its maximum duration, so that they cannot occupy places forever. */
  endOverdue(): void {
    const now = performance.now();
    for (const running of this.#running) {
      if (running.overdueAt <= now) this.#fail(running, new Error('The destination did not end the attempt in time.'));
    }
  }

  /** Resolves when no attempt is in flight, or after `timeoutMs` milliseconds. */
  async idle(timeoutMs: number): Promise<void> {
    if (this.#running.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#idle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Aborts the attempts in flight, waits `momentMs` milliseconds for results, and hands the remaining deliveries back. */
  async giveUp(momentMs: number): Promise<void> {
    this.#controller.abort();
    await this.idle(momentMs);
    for (const running of this.#running) this.#end(running, handBack(running.claim));
  }

  #fail(running: Running, error: unknown): void {
    if (!this.#running.has(running)) return;
    this.#options.onFault(running.claim, error);
    this.#end(running, ownFault(running.claim, error, running.startedAt, this.#options.retryDelaysMs));
  }

  #begin(claim: ClaimedDelivery, destination: Destination | undefined): Running {
    const startedAt = performance.now();
    const running = { claim, startedAt, overdueAt: startedAt + (destination?.maxDurationMs ?? 0) + PATIENCE_MS };
    this.#running.add(running);
    return running;
  }

  #end(running: Running, settlement: Settlement): void {
    if (!this.#running.delete(running)) return;
    this.#options.onDone(running.claim, settlement);
    if (this.#running.size === 0) this.#idle?.();
  }

  #leave(running: Running): void {
    if (!this.#running.delete(running)) return;
    this.#options.onAlone(running.claim);
    if (this.#running.size === 0) this.#idle?.();
  }
}

function toJob({ claim, startedAt }: Running, connection: DestinationConnection): DeliveryJob {
  const { id, attemptCount, event, probe, clockOffsetMs } = claim;
  return {
    ...{ deliveryId: id, attemptNumber: attemptCount + 1, event, connection },
    nowMs: clockOffsetMs + startedAt,
    timeoutMs: probe ? PROBE_TIMEOUT_MS : undefined,
  };
}
