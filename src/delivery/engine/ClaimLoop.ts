import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { Backoff } from '../../domain/Backoff.js';
import type { Logger } from '../../domain/Logger.js';
import type { Destination } from '../Destination.js';
import type { Attempts } from './Attempts.js';
import type { ConnectionCache } from './ConnectionCache.js';
import { type ClaimedDelivery, claimDeliveries, nextReadyInMs } from './claimDeliveries.js';
import type { EngineOptions } from './EngineOptions.js';
import { InterruptibleSleep } from './InterruptibleSleep.js';
import type { Lanes } from './Lanes.js';
import { cancel, expire, handBack, type Settlement } from './Settlement.js';
import type { Settler } from './Settler.js';

export interface ClaimLoopParts {
  readonly pool: pg.Pool;
  readonly destinations: ReadonlyMap<string, Destination>;
  readonly connections: ConnectionCache;
  readonly lanes: Lanes;
  readonly attempts: Attempts;
  readonly settler: Settler;
  readonly options: EngineOptions;
  /** Maximum duration of an attempt in milliseconds. */
  readonly longestAttemptMs: number;
  readonly log: Logger;
}

/** Maximum rows of one claim. */
const MAX_CLAIM = 500;

/** Maximum rows of one claim for failing connections, and for untried ones. */
const MAX_FAILING_CLAIM = 32;
const MAX_NEW_CLAIM = 64;

/** While more results than this wait for the database, nothing is claimed. */
const MAX_UNSETTLED = 5_000;

/** Milliseconds for which a connection that keeps failing is not claimed, until its health is in the database. */
const BRAKE_MS = 200;

/** Milliseconds after which free places are filled when they are too few for an immediate claim. */
const REFILL_MS = 10;

/** Minimum milliseconds between two queries for the time at which the next queue becomes ready. */
const LOOK_AHEAD_MS = 100;

/** Milliseconds between two claims while all places are taken. Slow attempts free their places meanwhile. */
const STARVED_MS = 250;

/** Claims due deliveries when it is woken, when places are free, and when the next queue becomes ready. */
export class ClaimLoop {
  readonly #parts: ClaimLoopParts;
  readonly #sleep = new InterruptibleSleep();
  /** Applies while the database is unavailable. */
  readonly #backoff = new Backoff(100, 2_000);
  /** True when free places limited the last claim. */
  #starved = false;
  #claiming = false;
  #lookedAheadAt = 0;
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
    this.#sleep.wake();
  }

  /** Starts no further claim. Resolves when the current claim ends. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#sleep.wake();
    clearTimeout(this.#refill);
    await this.#running;
  }

  /** Records the end of an attempt. Its place goes to a delivery that waits here, or to a new claim. */
  done(claim: ClaimedDelivery, settlement: Settlement): void {
    const { lanes, settler, options } = this.#parts;
    const failures = lanes.done(claim, settlement.verdict);
    settler.add(settlement);
    // Applies a rate limit, or the breaker that is about to open, before the database has recorded it.
    const restMs = settlement.throttledForMs ?? settlement.restMs;
    if (restMs !== null) this.#pause(claim.connectionId, restMs);
    else if (failures >= options.breaker.failures) this.#pause(claim.connectionId, BRAKE_MS);
    if (this.#stopping) return;
    this.#startWaiting();
    // A claim is in progress. The loop checks for free places again when it ends.
    if (this.#claiming) return;
    if (lanes.low(claim.connectionId) || (this.#starved && lanes.room() >= options.concurrency / 8)) this.#sleep.wake();
    else if (this.#starved || lanes.hungry()) this.#refillSoon();
  }

  /** Attempts a delivery without its batch as soon as there is a place for it. */
  alone(claim: ClaimedDelivery): void {
    if (!this.#stopping && this.#parts.lanes.alone(claim)) this.#startWaiting();
    else this.done(claim, handBack(claim));
  }

  #pause(connectionId: number, ms: number): void {
    for (const waiting of this.#parts.lanes.pause(connectionId, ms)) this.#parts.settler.add(handBack(waiting));
  }

  async #run(): Promise<void> {
    const { log } = this.#parts;
    while (!this.#stopping) {
      try {
        this.#claiming = true;
        const more = await this.#claim();
        this.#backoff.reset();
        this.#claiming = false;
        if (!more && !this.#stopping) await this.#sleep.for(await this.#untilNext());
      } catch (error) {
        this.#claiming = false;
        log.error({ error: String(error) }, 'Could not claim deliveries; trying again');
        await new Promise((resolve) => setTimeout(resolve, this.#backoff.next()));
      }
    }
  }

  /**
   * Returns the milliseconds until something may become ready without a wake-up: a retry, the end of a pause, the next place
   * under a rate limit.
   */
  async #untilNext(): Promise<number> {
    const { pool, lanes, options } = this.#parts;
    const longest = Math.min(options.pollMs, (lanes.pauseEndsInMs() ?? options.pollMs) + 1);
    if (this.#starved) return Math.min(longest, STARVED_MS);
    const now = performance.now();
    if (now - this.#lookedAheadAt < LOOK_AHEAD_MS) return Math.min(longest, LOOK_AHEAD_MS);
    this.#lookedAheadAt = now;
    return Math.min(longest, ((await nextReadyInMs(pool)) ?? options.pollMs) + 1);
  }

  /** @returns true when another claim may find more at once. */
  async #claim(): Promise<boolean> {
    const { pool, lanes, settler, options } = this.#parts;
    const busy = lanes.begin();
    const limit = Math.min(MAX_CLAIM, lanes.room());
    this.#starved = limit === 0;
    if (limit === 0 || settler.unsettled > MAX_UNSETTLED) return false;
    const perConnection = lanes.window();
    // Failing and untried connections get places on top of the limit, so that they take none from healthy ones.
    const failing = Math.min(MAX_FAILING_CLAIM, lanes.failingRoom());
    const untried = Math.min(MAX_NEW_CLAIM, lanes.newRoom());
    // Batches also get places on top.
    const all = limit + failing + untried + lanes.together;
    const request = { limit: all, perConnection, busy, failing, new: untried, lease: randomUUID(), leaseMs: options.leaseMs };
    const claims = await claimDeliveries(pool, request);
    await this.#loadConnections(claims);
    const wanted = claims.filter((claim) => this.#isWanted(claim));
    lanes.add(wanted, busy, perConnection);
    this.#startWaiting();
    this.#starved = claims.length >= all;
    if (this.#starved || lanes.hungry() || claims.some(({ known, failing }) => !known || failing)) this.#refillSoon();
    return wanted.length < claims.length || (this.#starved && lanes.room() > 0) || lanes.low();
  }

  /** Loads the connections of the claimed deliveries. */
  async #loadConnections(claims: readonly ClaimedDelivery[]): Promise<void> {
    const { connections, lanes, settler } = this.#parts;
    try {
      const wanted = new Map(claims.map((claim) => [claim.connectionId, claim.connectionVersion]));
      await connections.load(wanted, (id) => lanes.holds(id));
    } catch (error) {
      for (const claim of claims) settler.add(handBack(claim));
      throw error;
    }
  }

  /**
   * Settles deliveries that must not be sent. Only a delivery whose subscription the database reports as gone is cancelled. When
   * a connection is missing here, it was deleted a moment ago, and the next claim reports that.
   */
  #isWanted(claim: ClaimedDelivery): boolean {
    const { connections, settler, options } = this.#parts;
    const expired = claim.trigger === 'automatic' && claim.ageMs > options.maxAgeMs;
    if (claim.wanted && !expired && connections.get(claim.connectionId) && !this.#stopping) return true;
    if (!claim.wanted) settler.add(cancel(claim));
    else settler.add(expired ? expire(claim) : handBack(claim));
    return false;
  }

  #startWaiting(): void {
    const { lanes, attempts, connections, destinations, longestAttemptMs } = this.#parts;
    const latestStart = performance.now() + longestAttemptMs;
    for (const claims of lanes.startTogether()) {
      const connection = claims[0] && connections.get(claims[0].connectionId);
      const destination = connection && destinations.get(connection.type);
      const batch = destination?.batch;
      const { inTime = [], late = [] } = Object.groupBy(claims, ({ leaseEndsAt }) =>
        batch && leaseEndsAt > latestStart ? 'inTime' : 'late',
      );
      if (connection && batch && inTime.length > 0) attempts.startTogether(inTime, connection, destination, batch);
      for (const claim of late) queueMicrotask(() => this.done(claim, handBack(claim)));
    }
    for (const claim of lanes.start()) {
      const connection = connections.get(claim.connectionId);
      // A delivery that waited so long that its lease might end before the attempt does is left to the next claim.
      if (connection && claim.leaseEndsAt > latestStart) attempts.start(claim, connection);
      else queueMicrotask(() => this.done(claim, handBack(claim)));
    }
  }

  #refillSoon(): void {
    this.#refill ??= setTimeout(() => {
      this.#refill = undefined;
      this.#sleep.wake();
    }, REFILL_MS);
  }
}
