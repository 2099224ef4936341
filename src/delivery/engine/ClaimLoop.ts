import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Logger } from '../../domain/Logger.js';
import { Alarm } from './Alarm.js';
import type { Attempts } from './Attempts.js';
import { Backoff } from './Backoff.js';
import type { ClaimedDelivery } from './ClaimedDelivery.js';
import type { ConnectionCache } from './ConnectionCache.js';
import { claimDeliveries } from './claimDeliveries.js';
import type { EngineOptions } from './EngineOptions.js';
import type { Lanes } from './Lanes.js';
import type { Settlement } from './Settlement.js';
import type { Settler } from './Settler.js';
import { cancel, handBack } from './toSettlement.js';

export interface ClaimLoopParts {
  readonly pool: pg.Pool;
  readonly connections: ConnectionCache;
  readonly lanes: Lanes;
  readonly attempts: Attempts;
  readonly settler: Settler;
  readonly options: EngineOptions;
  /** Milliseconds that an attempt takes at most. */
  readonly longestAttemptMs: number;
  readonly log: Logger;
}

/** Rows of one claim. */
const MAX_CLAIM = 500;

/** Results that may wait for the database before nothing more is claimed. */
const MAX_UNSETTLED = 5_000;

/** ms in which nothing is claimed of a connection that fails and fails, until its health is in the database. */
const BRAKE_MS = 200;

/** ms after which places that became free are filled, when they are too few to claim for at once. */
const REFILL_MS = 10;

/** Claims what is due whenever it is told to, or has places to fill, or by itself from time to time. */
export class ClaimLoop {
  readonly #parts: ClaimLoopParts;
  readonly #alarm = new Alarm();
  readonly #backoff = new Backoff();
  #after = 0;
  /** The last claim was limited by the places that were free overall. */
  #starved = false;
  #claiming = false;
  #refill: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #stopping = false;

  constructor(parts: ClaimLoopParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  wake(): void {
    this.#alarm.wake();
  }

  /** No claim begins after this; resolves when the last one is over. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#alarm.wake();
    clearTimeout(this.#refill);
    await this.#running;
  }

  /** An attempt is over: its place is free for what waits here, or for a new claim. */
  done(claim: ClaimedDelivery, settlement: Settlement): void {
    const { lanes, settler, options } = this.#parts;
    const failures = lanes.done(claim.connectionId, settlement.verdict);
    settler.add(settlement);
    // What the database is only about to know counts here at once: a rate limit, and that the breaker will open.
    if (settlement.throttledUntilMs !== null) this.#pause(claim.connectionId, settlement.throttledUntilMs - Date.now());
    else if (failures >= options.breaker.failures) this.#pause(claim.connectionId, BRAKE_MS);
    if (this.#stopping) return;
    this.#startWaiting();
    // While a claim is under way it is too early to tell: it looks again when it is over.
    if (this.#claiming) return;
    if (lanes.low(claim.connectionId) || (this.#starved && lanes.room() >= options.concurrency / 8)) this.#alarm.wake();
    else if (this.#starved || lanes.hungry()) this.#refillSoon();
  }

  #pause(connectionId: number, ms: number): void {
    for (const waiting of this.#parts.lanes.pause(connectionId, ms)) this.#parts.settler.add(handBack(waiting));
  }

  async #run(): Promise<void> {
    const { options, log } = this.#parts;
    while (!this.#stopping) {
      try {
        this.#claiming = true;
        const more = await this.#claim();
        this.#backoff.reset();
        this.#claiming = false;
        if (!more) await this.#alarm.sleep(options.pollMs);
      } catch (error) {
        this.#claiming = false;
        log.error({ error: String(error) }, 'Could not claim deliveries; trying again');
        await new Promise((resolve) => setTimeout(resolve, this.#backoff.next()));
      }
    }
  }

  /** @returns true when there may be more to claim at once. */
  async #claim(): Promise<boolean> {
    const { pool, lanes, settler, options } = this.#parts;
    const busy = lanes.begin();
    const limit = Math.min(MAX_CLAIM, lanes.room());
    this.#starved = limit === 0;
    if (limit === 0 || settler.unsettled > MAX_UNSETTLED) return false;
    const perConnection = lanes.window();
    const claims = await claimDeliveries(pool, {
      after: this.#after,
      limit,
      perConnection,
      busy,
      lease: randomUUID(),
      leaseMs: options.leaseMs,
    });
    await this.#loadConnections(claims);
    const wanted = claims.filter((claim) => this.#isWanted(claim));
    lanes.add(wanted, busy, perConnection);
    this.#after = lastServed(claims, this.#after);
    this.#startWaiting();
    this.#starved = claims.length === limit;
    if (this.#starved || lanes.hungry()) this.#refillSoon();
    return wanted.length < claims.length || (this.#starved && lanes.room() > 0) || lanes.low();
  }

  async #loadConnections(claims: readonly ClaimedDelivery[]): Promise<void> {
    try {
      await this.#parts.connections.load(new Map(claims.map((claim) => [claim.connectionId, claim.connectionVersion])));
    } catch (error) {
      for (const claim of claims) this.#parts.settler.add(handBack(claim));
      throw error;
    }
  }

  /** What is not wanted is settled at once: its subscription or connection is gone, or the process stops. */
  #isWanted(claim: ClaimedDelivery): boolean {
    const { connections, settler } = this.#parts;
    if (claim.wanted && connections.get(claim.connectionId) && !this.#stopping) return true;
    settler.add(this.#stopping && claim.wanted ? handBack(claim) : cancel(claim));
    return false;
  }

  #startWaiting(): void {
    const { lanes, attempts, connections, longestAttemptMs } = this.#parts;
    const latestStart = performance.now() + longestAttemptMs;
    for (const claim of lanes.start()) {
      const connection = connections.get(claim.connectionId);
      // One that waited here so long that its lease might end before the attempt does is left to the next claim.
      if (connection && claim.leaseEndsAt > latestStart) attempts.start(claim, connection);
      else queueMicrotask(() => this.done(claim, handBack(claim)));
    }
  }

  #refillSoon(): void {
    this.#refill ??= setTimeout(() => {
      this.#refill = undefined;
      this.#alarm.wake();
    }, REFILL_MS);
  }
}

/** The walk went from `after` upwards, and on from the beginning: the last connection that got something. */
function lastServed(claims: readonly ClaimedDelivery[], after: number): number {
  let last = 0;
  let lastWrapped = 0;
  for (const { connectionId } of claims) {
    if (connectionId > after) last = Math.max(last, connectionId);
    else lastWrapped = Math.max(lastWrapped, connectionId);
  }
  return lastWrapped || last || after;
}
