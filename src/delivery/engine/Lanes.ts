import type { DestinationBatch } from '../Destination.js';
import type { ClaimedDelivery } from './claimDeliveries.js';

/** Milliseconds of work that are claimed ahead for a fast connection. */
const AHEAD_MS = 100;

/** Maximum deliveries claimed ahead, for one connection and for all. */
const MAX_AHEAD = 512;
const MAX_AHEAD_OVERALL = 2_048;

/**
 * Part of all places that connections may use for several attempts at once. The rest is for first attempts of other connections.
 */
const SHARED = 3 / 4;

/** Part of all places that failing connections share. */
const FAILING_SHARE = 1 / 4;

/**
 * Milliseconds without a response after which an attempt counts as slow and frees its place. The first attempt to an untried
 * connection counts as slow earlier.
 */
const SLOW_MS = 1_000;
const SLOW_FIRST_MS = 250;

/** Maximum number of slow attempts, as a multiple of the places. */
const MAX_SLOW = 16;

/** Part of the slow attempts that untried connections may have. */
const SLOW_NEW_SHARE = 3 / 4;

/** Part of all places that untried connections share. Each makes one attempt first. */
const NEW_SHARE = 1 / 2;

/** Maximum number of batches in flight for one connection. */
const MAX_BATCHES = 2;

/** Maximum number of deliveries that one claim takes for batches on top of its usual limit, and that are held for batches. */
const MAX_TOGETHER = 1_000;
const MAX_TOGETHER_HELD = 4_000;

/** Maximum number of remembered deliveries that must go without a batch. */
const MAX_ALONE = 10_000;

/** What this process holds of one connection. */
interface Lane {
  /** Attempts in flight. A batch counts as one. */
  running: number;
  /** Number of slow attempts among those in flight. */
  slow: number;
  readonly waiting: ClaimedDelivery[];
  /** Waiting deliveries that may go in a batch. Empty when the destination has no batches. */
  readonly fresh: ClaimedDelivery[];
  /** Batch limits of the destination. */
  batch: Batch | undefined;
  /** Number of batches in flight, and of deliveries in them beyond the first of each batch. */
  batches: number;
  carried: number;
  /** Average payload size in bytes, smoothed. */
  bytes: number;
  /** Successful attempts since the last claim began. */
  answered: number;
  /** Successful attempts per millisecond, smoothed. */
  rate: number;
  /** Number of deliveries to hold in addition to those in flight. */
  ahead: number;
  /** True when a claim returned as many as requested, so there may be more. */
  hungry: boolean;
  /** Failed attempts since the last success. */
  failures: number;
  /** True when earlier failures are on record in the database. */
  failing: boolean;
  /** True when nothing was sent to the connection before. */
  isNew: boolean;
  /** `performance.now()` before which nothing is claimed for the connection. */
  pausedUntil: number;
}

type Batch = Pick<DestinationBatch, 'from' | 'max' | 'maxBytes'>;

/** One attempt, of one delivery or of a batch. */
interface Running {
  readonly startedAt: number;
  readonly lane: Lane;
  /** Deliveries of the attempt without a result. */
  left: number;
  readonly isBatch: boolean;
  /** True when the attempt counted as one of a failing connection when it began. */
  readonly failing: boolean;
  slow: boolean;
}

export interface LanesOptions {
  readonly concurrency: number;
  readonly concurrencyPerConnection: number;
}

/**
 * Counts what is in flight, by connection and in total, and decides how much more to claim.
 *
 * - A place is one of the `concurrency` attempts that this process makes at once. A connection gets at most its cap, and at most
 * half of the places that the other connections leave free. When three quarters of all places are taken, it gets one at a time.
 * So slow connections together cannot take all places, and no connection is shut out.
 * - Failing connections share a quarter of the places. A connection is failing when its last attempts failed, or when its very
 * first attempt is slow.
 * - Untried connections share half of the places and make one attempt first.
 * - An attempt without a response for a second is slow and frees its place, so that receivers that hang do not block the others.
 * There may be at most sixteen times as many slow attempts as places.
 * - For a fast connection, some milliseconds of work are claimed ahead, so that claims are few and large and its places never
 * idle. For a slow or dead connection, nothing is claimed ahead.
 * - When a destination supports batches and many deliveries wait, more is claimed. A batch takes one place. It consists of
 * deliveries that are already held, and waits only for the batches before it.
 */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #lanes = new Map<number, Lane>();
  /** Lanes with waiting deliveries. */
  readonly #waiting = new Set<Lane>();
  /** Deliveries in flight, oldest first. All deliveries of a batch have the same value. */
  readonly #running = new Map<ClaimedDelivery, Running>();
  readonly #batchOf: (connectionId: number) => Batch | undefined;
  /** Ids of deliveries that must go without a batch. */
  readonly #alone = new Set<string>();
  #attempts = 0;
  /** Attempts that take a place. */
  #placed = 0;
  #failing = 0;
  /** Number of untried connections whose attempt is in flight and not slow, at the beginning of the claim. */
  #new = 0;
  #held = 0;
  #ahead = 0;
  #together = 0;
  #begunAt = performance.now();
  #roomMadeAt = 0;

  /** @param batchOf returns the batch limits of a connection's destination. */
  constructor(options: LanesOptions, batchOf: (connectionId: number) => Batch | undefined = () => undefined) {
    this.#options = options;
    this.#batchOf = batchOf;
  }

  /** Deliveries in flight. */
  get running(): number {
    return this.#running.size;
  }

  /** Deliveries in flight and claimed ahead. */
  get held(): number {
    return this.#held;
  }

  /** How many more deliveries the current claim may take for batches. */
  get together(): number {
    return this.#together;
  }

  /**
   * Returns how many deliveries to claim: half of the free places, so that one claim cannot give all of them to the first
   * connections.
   */
  room(): number {
    const { concurrency } = this.#options;
    this.#makeRoom();
    const free = Math.floor((concurrency * SHARED - this.#placed) / 2);
    return free > 0 ? free + this.#ahead : Math.max(0, concurrency - this.#placed);
  }

  /** Returns how many more attempts failing connections may have in total. */
  failingRoom(): number {
    return Math.max(0, Math.max(1, Math.floor(this.#options.concurrency * FAILING_SHARE)) - this.#failing);
  }

  /** Returns how many attempts a connection may have at once when it has `running` now. */
  window(running = 0): number {
    const { concurrency, concurrencyPerConnection } = this.#options;
    const left = Math.floor((concurrency * SHARED - this.#placed + running) / 2);
    return Math.max(1, Math.min(concurrencyPerConnection, left));
  }

  /** Returns how many more untried connections may get an attempt. */
  newRoom(): number {
    const { concurrency } = this.#options;
    // The remaining slow attempts are reserved for known connections that become slow.
    if (this.#slow >= concurrency * MAX_SLOW * SLOW_NEW_SHARE) return 0;
    return Math.max(0, Math.max(1, Math.floor(concurrency * NEW_SHARE)) - this.#new);
  }

  /** Returns whether this process holds deliveries of a connection. */
  holds(connectionId: number): boolean {
    const lane = this.#lanes.get(connectionId);
    return lane !== undefined && heldOf(lane) > 0;
  }

  /** Begins a claim. Returns how many deliveries to claim of each connection that has a lane, by id. */
  begin(): Record<string, number> {
    const allowances: Record<string, number> = {};
    const now = performance.now();
    const elapsed = Math.max(1, now - this.#begunAt);
    this.#begunAt = now;
    this.#ahead = 0;
    this.#new = 0;
    this.#makeRoom();
    let failingLeft = this.failingRoom();
    const failing = [...this.#lanes.values()].filter((lane) => this.#isFailing(lane)).length;
    const each = Math.max(1, Math.floor(failingLeft / Math.max(1, failing)));
    const batching = [...this.#lanes.values()].filter((lane) => this.#wantsBatches(lane)).length;
    const together = Math.max(1, Math.floor(Math.min(MAX_TOGETHER, MAX_TOGETHER_HELD - this.#held) / Math.max(1, batching)));
    this.#together = 0;
    for (const [id, lane] of this.#lanes) {
      const held = heldOf(lane);
      if (held + lane.answered === 0 && lane.pausedUntil <= now) {
        this.#lanes.delete(id);
        continue;
      }
      if (lane.isNew && held > lane.slow) this.#new++;
      lane.rate = (lane.rate + lane.answered / elapsed) / 2;
      lane.answered = 0;
      lane.ahead = Math.min(MAX_AHEAD, Math.floor(lane.rate * AHEAD_MS));
      this.#ahead += lane.ahead;
      if (lane.pausedUntil > now) allowances[id] = 0;
      else if (this.#isFailing(lane)) {
        // Nothing is claimed ahead for failing connections: it would only wait here and block the others.
        const more = Math.max(0, Math.min(each, failingLeft, this.window(lane.running - lane.slow) - held));
        allowances[id] = more;
        failingLeft -= more;
      } else {
        const usual = Math.max(0, this.#allowed(lane) + lane.ahead - held);
        const more = Math.min(together, Math.max(0, this.#target(lane) - held - usual));
        allowances[id] = usual + more;
        this.#together += more;
      }
    }
    this.#ahead = Math.min(MAX_AHEAD_OVERALL, this.#ahead);
    return allowances;
  }

  /** Adds the claimed deliveries. `allowances` is what `begin` returned. */
  add(claims: readonly ClaimedDelivery[], allowances: Readonly<Record<string, number>>, window: number): void {
    const counts = new Map<number, number>();
    for (const claim of claims) {
      const lane = this.#lanes.get(claim.connectionId) ?? this.#lane(claim.connectionId, !claim.known);
      if (claim.failing || claim.probe) lane.failing = true;
      lane.batch = this.#batchOf(claim.connectionId);
      if (lane.batch) lane.bytes += (claim.event.payload.length - lane.bytes) / BYTES_OF;
      (lane.batch && this.#isFresh(claim) ? lane.fresh : lane.waiting).push(claim);
      this.#waiting.add(lane);
      counts.set(claim.connectionId, (counts.get(claim.connectionId) ?? 0) + 1);
    }
    this.#held += claims.length;
    for (const [id, lane] of this.#lanes) lane.hungry = (counts.get(id) ?? 0) >= (allowances[id] ?? window);
  }

  /**
   * Returns the deliveries that may be attempted in batches now, by connection. Each counts as in flight until `done`. Call it
   * before `start`.
   */
  startTogether(): ClaimedDelivery[][] {
    const started: ClaimedDelivery[][] = [];
    const startedAt = performance.now();
    this.#makeRoom();
    for (const lane of this.#waiting) {
      if (lane.batch === undefined || this.#isFailing(lane) || lane.isNew) continue;
      while (lane.fresh.length >= lane.batch.from && lane.batches < MAX_BATCHES) {
        if (this.#placed >= this.#options.concurrency || lane.running >= this.#allowed(lane)) break;
        const claims = lane.fresh.splice(0, countOfBatch(lane.fresh, lane.batch));
        const running = { startedAt, lane, left: claims.length, isBatch: true, failing: false, slow: false };
        for (const claim of claims) this.#running.set(claim, running);
        lane.running++;
        lane.batches++;
        lane.carried += claims.length - 1;
        this.#attempts++;
        this.#placed++;
        started.push(claims);
      }
      if (waitingOf(lane) === 0) this.#waiting.delete(lane);
    }
    return started;
  }

  /** Returns the deliveries that may be attempted alone now. Each counts as in flight until `done`. */
  start(): ClaimedDelivery[] {
    const started: ClaimedDelivery[] = [];
    const startedAt = performance.now();
    this.#makeRoom();
    for (const lane of this.#waiting) {
      const free = this.#options.concurrency - this.#placed;
      const failing = this.#isFailing(lane);
      // When few wait, they go one by one. When many wait, they go in the next batch.
      const few = failing || lane.isNew || lane.fresh.length < (lane.batch?.from ?? 0) ? lane.fresh : [];
      const count = Math.min(lane.waiting.length + few.length, this.#allowed(lane) - lane.running, free);
      if (count <= 0) continue;
      const claims = lane.waiting.splice(0, count);
      claims.push(...few.splice(0, count - claims.length));
      for (const claim of claims) {
        started.push(claim);
        this.#running.set(claim, { startedAt, lane, left: 1, isBatch: false, failing, slow: false });
      }
      lane.running += count;
      this.#attempts += count;
      this.#placed += count;
      if (failing) this.#failing += count;
      if (waitingOf(lane) === 0) this.#waiting.delete(lane);
    }
    return started;
  }

  /**
   * Makes a delivery of a batch wait for a place of its own. Returns false when its connection is paused, so nothing of it may
   * wait here.
   */
  alone(claim: ClaimedDelivery): boolean {
    for (const oldest of this.#alone) {
      if (this.#alone.size < MAX_ALONE) break;
      this.#alone.delete(oldest);
    }
    this.#alone.add(claim.id);
    const lane = this.#running.get(claim)?.lane;
    if (!lane || lane.pausedUntil > performance.now()) return false;
    this.done(claim, null);
    lane.waiting.push(claim);
    this.#waiting.add(lane);
    this.#held++;
    return true;
  }

  /** Records a delivery's result. Returns the number of consecutive failed attempts. */
  done(claim: ClaimedDelivery, verdict: 'good' | 'bad' | null): number {
    const running = this.#running.get(claim);
    if (!running) return 0;
    const { lane } = running;
    this.#running.delete(claim);
    this.#held--;
    running.left--;
    // A batch keeps its place until its last delivery has a result, which is at once.
    if (running.left > 0) lane.carried--;
    else {
      lane.running--;
      this.#attempts--;
      if (running.isBatch) lane.batches--;
      if (running.slow) lane.slow--;
      else this.#placed--;
      if (running.failing) this.#failing--;
    }
    if (verdict === 'good') {
      lane.answered++;
      lane.failures = 0;
      lane.failing = false;
      lane.isNew = false;
    }
    if (verdict === 'bad') lane.failures++;
    return lane.failures;
  }

  /** Returns true when more may be due for a connection that was claimed up to its limit and now has room. */
  hungry(): boolean {
    const now = performance.now();
    for (const lane of this.#lanes.values()) {
      if (!lane.hungry || lane.pausedUntil > now) continue;
      if (heldOf(lane) < this.#target(lane)) return true;
    }
    return false;
  }

  /** Returns true when it is time to claim again, for one connection or for any. */
  low(connectionId?: number): boolean {
    if (connectionId !== undefined) return this.#isLow(this.#lane(connectionId));
    for (const lane of this.#lanes.values()) if (this.#isLow(lane)) return true;
    return false;
  }

  /** Claims nothing for a connection for `ms` milliseconds. Returns its deliveries that were claimed ahead. */
  pause(connectionId: number, ms: number): ClaimedDelivery[] {
    const lane = this.#lane(connectionId);
    lane.pausedUntil = performance.now() + ms;
    lane.failures = 0;
    return this.drop(connectionId);
  }

  /** Returns the milliseconds until the first pause ends; null when no connection is paused. */
  pauseEndsInMs(): number | null {
    let first = Number.POSITIVE_INFINITY;
    const now = performance.now();
    for (const { pausedUntil } of this.#lanes.values()) if (pausedUntil > now) first = Math.min(first, pausedUntil);
    return first === Number.POSITIVE_INFINITY ? null : first - now;
  }

  /** Removes and returns the waiting deliveries, of one connection or of all. */
  drop(connectionId?: number): ClaimedDelivery[] {
    const dropped: ClaimedDelivery[] = [];
    for (const [id, lane] of this.#lanes) {
      if (connectionId === undefined || id === connectionId) {
        dropped.push(...lane.waiting.splice(0), ...lane.fresh.splice(0));
        this.#waiting.delete(lane);
      }
    }
    this.#held -= dropped.length;
    return dropped;
  }

  /** Returns true when half of what the connection may hold is used up. */
  #isLow(lane: Lane): boolean {
    if (!lane.hungry || lane.pausedUntil > performance.now()) return false;
    return heldOf(lane) <= this.#target(lane) / 2;
  }

  /**
   * Returns how many deliveries to hold of a connection: those that may be in flight plus those claimed ahead, or enough for two
   * batches.
   */
  #target(lane: Lane): number {
    const usual = this.#allowed(lane) + lane.ahead;
    if (!this.#wantsBatches(lane)) return usual;
    const { max, maxBytes } = lane.batch as Batch;
    const most = MAX_BATCHES * Math.min(max, Math.floor(maxBytes / Math.max(1, lane.bytes)));
    return Math.max(usual, Math.min(most, heldOf(lane) + MAX_TOGETHER_HELD - this.#held));
  }

  /** Returns true when there is more than was requested and it may go in batches. */
  #wantsBatches(lane: Lane): boolean {
    return (
      lane.batch !== undefined && lane.hungry && !lane.isNew && !this.#isFailing(lane) && lane.pausedUntil <= performance.now()
    );
  }

  /** Returns true for an automatic first attempt. Retries and deliveries that may already have arrived go without a batch. */
  #isFresh({ id, attemptCount, wasRetrying, trigger, probe }: ClaimedDelivery): boolean {
    return attemptCount === 0 && !wasRetrying && trigger === 'automatic' && !probe && !this.#alone.has(id);
  }

  /** Returns how many attempts a connection may have at once now. */
  #allowed(lane: Lane): number {
    const window = this.window(lane.running - lane.slow);
    if (this.#isFailing(lane)) return Math.min(window, lane.running + this.failingRoom());
    if (lane.isNew) return 1;
    // A slow but healthy connection may add slow attempts as long as their number allows.
    return lane.slow === 0 || this.#slow < this.#options.concurrency * MAX_SLOW ? window : lane.running;
  }

  /**
   * Returns whether a connection is failing. A connection that answered before does not count as failing merely because it is
   * slow.
   */
  #isFailing(lane: Lane): boolean {
    return lane.failing || lane.failures > 0 || (lane.slow > 0 && lane.isNew);
  }

  get #slow(): number {
    return this.#attempts - this.#placed;
  }

  /** Marks attempts without a response as slow, which frees their places, as far as the number of slow attempts allows. */
  #makeRoom(): void {
    const now = performance.now();
    if (now - this.#roomMadeAt < SLOW_MS / 20) return;
    this.#roomMadeAt = now;
    for (const running of this.#running.values()) {
      const ms = now - running.startedAt;
      if (ms < SLOW_FIRST_MS) break;
      if (running.slow || (ms < SLOW_MS && !running.lane.isNew)) continue;
      if (this.#slow >= this.#options.concurrency * MAX_SLOW) break;
      running.slow = true;
      running.lane.slow++;
      this.#placed--;
    }
  }

  #lane(id: number, isNew = false): Lane {
    let lane = this.#lanes.get(id);
    if (!lane) {
      lane = {
        ...{ running: 0, slow: 0, waiting: [], answered: 0, rate: 0, ahead: 0 },
        ...{ fresh: [], batch: undefined, batches: 0, carried: 0, bytes: 0 },
        ...{ hungry: false, failures: 0, failing: false, isNew, pausedUntil: 0 },
      };
      this.#lanes.set(id, lane);
    }
    return lane;
  }
}

/** Number of payloads over which their size is smoothed. */
const BYTES_OF = 16;

function waitingOf({ waiting, fresh }: Lane): number {
  return waiting.length + fresh.length;
}

function heldOf(lane: Lane): number {
  return lane.running + lane.carried + waitingOf(lane);
}

/** Returns how many of these deliveries go into the next batch: as many as its limits of number and bytes allow. */
function countOfBatch(claims: readonly ClaimedDelivery[], { max, maxBytes }: Batch): number {
  let bytes = 0;
  let count = 0;
  for (const { event } of claims) {
    bytes += event.payload.length;
    if (count === max || (count > 0 && bytes > maxBytes)) break;
    count++;
  }
  return count;
}
