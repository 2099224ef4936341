import { setMaxListeners } from 'node:events';
import type { DeliveryJob, DestinationConnection } from '../DeliveryJob.js';
import type { Destination, DestinationBatch } from '../Destination.js';
import type { ClaimedDelivery } from './claimDeliveries.js';
import { handBack, ownFault, type Settlement, toSettlement } from './Settlement.js';

export interface AttemptsOptions {
  readonly destinations: ReadonlyMap<string, Destination>;
  readonly retryDelaysMs: readonly number[];
  readonly onDone: (claim: ClaimedDelivery, settlement: Settlement) => void;
  /** It could not go with the others of its batch. */
  readonly onAlone: (claim: ClaimedDelivery) => void;
  readonly onFault: (claim: ClaimedDelivery, error: unknown) => void;
}

interface Running {
  readonly claim: ClaimedDelivery;
  /** `performance.now()`. */
  readonly startedAt: number;
  /** `performance.now()` by which its destination promised to be done, and a little more. */
  readonly overdueAt: number;
}

/** ms after its promised end at which an attempt is written off. */
const PATIENCE_MS = 2_000;

/** ms that a probe may take: it asks whether a receiver works again, and one that works answers soon. */
const PROBE_TIMEOUT_MS = 5_000;

/** The attempts under way. Each ends exactly once: by its result, by a fault of ours, or by being written off. */
export class Attempts {
  readonly #options: AttemptsOptions;
  readonly #running = new Set<Running>();
  /** One for all: they are only ever given up together. */
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

  /** Deliveries of one connection, in one request; each has its own end. */
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
            // One request without a good answer is one failure of the connection, however many it carried.
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

  /** Writes off what its destination should have ended long ago, so that it can't occupy a place for ever. */
  endOverdue(): void {
    const now = performance.now();
    for (const running of this.#running) {
      if (running.overdueAt <= now) this.#fail(running, new Error('The destination did not end the attempt in time.'));
    }
  }

  /** Resolves when nothing is under way, or after so many milliseconds. */
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

  /** Gives up what is under way and hands it back, after a moment in which a result may still come. */
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
