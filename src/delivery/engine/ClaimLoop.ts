import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { Backoff } from '../../domain/Backoff.js';
import type { Logger } from '../../domain/Logger.js';
import type { Destination } from '../Destination.js';
import type { Attempts } from './Attempts.js';
import type { ConnectionCache } from './ConnectionCache.js';
import { type ClaimedDelivery, claimDeliveries, nextReadyInMs } from './claimDeliveries.js';
import type { EngineOptions } from './DeliveryEngine.js';
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
  /** Milliseconds that an attempt takes at most. */
  readonly longestAttemptMs: number;
  readonly log: Logger;
}

/** Rows of one claim. */
const MAX_CLAIM = 500;

/** Of these, connections whose last attempts failed, and connections that were never tried. */
const MAX_AILING_CLAIM = 32;
const MAX_NEW_CLAIM = 64;

/** Results that may wait for the database before nothing more is claimed. */
const MAX_UNSETTLED = 5_000;

/** ms in which nothing is claimed of a connection that fails and fails, until its health is in the database. */
const BRAKE_MS = 200;

/** ms after which places that became free are filled, when they are too few to claim for at once. */
const REFILL_MS = 10;

/** ms between two looks for what will be ready next. */
const LOOK_AHEAD_MS = 100;

/** ms between two looks while all places are taken: those who wait long for an answer give theirs up meanwhile. */
const STARVED_MS = 250;

/** Claims what is due whenever it is told to, or has places to fill, or when the next queue is ready. */
export class ClaimLoop {
  readonly #parts: ClaimLoopParts;
  readonly #sleep = new InterruptibleSleep();
  /** While the database is away. */
  readonly #backoff = new Backoff(100, 2_000);
  /** The last claim was limited by the places that were free overall. */
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

  /** No claim begins after this; resolves when the last one is over. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#sleep.wake();
    clearTimeout(this.#refill);
    await this.#running;
  }

  /** An attempt is over: its place is free for what waits here, or for a new claim. */
  done(claim: ClaimedDelivery, settlement: Settlement): void {
    const { lanes, settler, options } = this.#parts;
    const failures = lanes.done(claim, settlement.verdict);
    settler.add(settlement);
    // What the database is only about to know counts here at once: a rate limit, and that the breaker will open.
    const restMs = settlement.throttledForMs ?? settlement.restMs;
    if (restMs !== null) this.#pause(claim.connectionId, restMs);
    else if (failures >= options.breaker.failures) this.#pause(claim.connectionId, BRAKE_MS);
    if (this.#stopping) return;
    this.#startWaiting();
    // While a claim is under way it is too early to tell: it looks again when it is over.
    if (this.#claiming) return;
    if (lanes.low(claim.connectionId) || (this.#starved && lanes.room() >= options.concurrency / 8)) this.#sleep.wake();
    else if (this.#starved || lanes.hungry()) this.#refillSoon();
  }

  /** It goes by itself as soon as there is a place for it. */
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

  /** Milliseconds until something may be ready that nobody tells of: a retry, the end of a pause, a rate's next place. */
  async #untilNext(): Promise<number> {
    const { pool, lanes, options } = this.#parts;
    const longest = Math.min(options.pollMs, (lanes.pauseEndsInMs() ?? options.pollMs) + 1);
    if (this.#starved) return Math.min(longest, STARVED_MS);
    const now = performance.now();
    if (now - this.#lookedAheadAt < LOOK_AHEAD_MS) return Math.min(longest, LOOK_AHEAD_MS);
    this.#lookedAheadAt = now;
    return Math.min(longest, ((await nextReadyInMs(pool)) ?? options.pollMs) + 1);
  }

  /** @returns true when there may be more to claim at once. */
  async #claim(): Promise<boolean> {
    const { pool, lanes, settler, options } = this.#parts;
    const busy = lanes.begin();
    const limit = Math.min(MAX_CLAIM, lanes.room());
    this.#starved = limit === 0;
    if (limit === 0 || settler.unsettled > MAX_UNSETTLED) return false;
    const perConnection = lanes.window();
    // Those that ail or were never tried come on top, so that they take nothing from those that are known and well.
    const ailing = Math.min(MAX_AILING_CLAIM, lanes.ailingRoom());
    const untried = Math.min(MAX_NEW_CLAIM, lanes.newRoom());
    // So does what goes in batches.
    const all = limit + ailing + untried + lanes.together;
    const request = { limit: all, perConnection, busy, ailing, new: untried, lease: randomUUID(), leaseMs: options.leaseMs };
    const claims = await claimDeliveries(pool, request);
    await this.#loadConnections(claims);
    const wanted = claims.filter((claim) => this.#isWanted(claim));
    lanes.add(wanted, busy, perConnection);
    this.#startWaiting();
    this.#starved = claims.length >= all;
    if (this.#starved || lanes.hungry() || claims.some(({ known, ailing }) => !known || ailing)) this.#refillSoon();
    return wanted.length < claims.length || (this.#starved && lanes.room() > 0) || lanes.low();
  }

  /** Loads the connections of what was claimed. */
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
   * What is not wanted is settled at once. Cancelled is only what the database says has no subscription any more; a
   * connection that can't be found here was deleted a moment ago, which the next claim will tell.
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
      // One that waited here so long that its lease might end before the attempt does is left to the next claim.
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
