import type { DestinationBatch } from '../Destination.js';
import type { ClaimedDelivery } from './claimDeliveries.js';

/** How many ms of work are claimed ahead for a connection that answers fast. */
const AHEAD_MS = 100;

/** Most that is claimed ahead, for one connection and for all. */
const MAX_AHEAD = 512;
const MAX_AHEAD_OVERALL = 2_048;

/** Part of all places that several attempts of one connection may take; the rest is for first attempts of others. */
const SHARED = 3 / 4;

/** Part of all places that connections share whose last attempts failed, or have had no answer for long. */
const AILING_SHARE = 1 / 4;

/** ms without an answer after which an attempt leaves its place to others; the first to a connection that was never tried does so sooner. */
const SLOW_MS = 1_000;
const SLOW_FIRST_MS = 250;

/** Attempts that may wait for an answer beside those that take a place, as a multiple of the places. */
const MAX_SLOW = 16;

/** Part of the room to wait that connections may take which were never tried. */
const SLOW_NEW_SHARE = 3 / 4;

/** Part of all places that connections share which were never tried: each makes one attempt first. */
const NEW_SHARE = 1 / 2;

/** Batches of one connection that may be under way at once. */
const MAX_BATCHES = 2;

/** Most that one claim takes for batches, beyond what it would take else, and the most that is held for them. */
const MAX_TOGETHER = 1_000;
const MAX_TOGETHER_HELD = 4_000;

/** Deliveries remembered that can't go with others. */
const MAX_ALONE = 10_000;

/** What this process holds of one connection. */
interface Lane {
  /** Attempts under way; a batch is one. */
  running: number;
  /** Of these, how many have had no answer for long. */
  slow: number;
  readonly waiting: ClaimedDelivery[];
  /** What waits and may go in a batch; empty where there are none. */
  readonly fresh: ClaimedDelivery[];
  /** What its destination takes together. */
  batch: Batch | undefined;
  /** Batches under way, and deliveries in them beyond one each. */
  batches: number;
  carried: number;
  /** Bytes of a payload, smoothed. */
  bytes: number;
  /** Good answers since the last claim began. */
  answered: number;
  /** Good answers per ms, smoothed. */
  rate: number;
  /** How many to hold beyond those under way. */
  ahead: number;
  /** As many were claimed as were asked for, so there may be more. */
  hungry: boolean;
  /** Attempts without a good answer since the last good one. */
  failures: number;
  /** Failures are on record from before. */
  ailing: boolean;
  /** Nothing was sent there before. */
  isNew: boolean;
  /** `performance.now()` before which nothing is claimed. */
  pausedUntil: number;
}

type Batch = Pick<DestinationBatch, 'from' | 'max' | 'maxBytes'>;

/** One attempt: of one delivery, or of a batch. */
interface Running {
  readonly startedAt: number;
  readonly lane: Lane;
  /** Deliveries in it that have no result yet. */
  left: number;
  readonly isBatch: boolean;
  /** Counted with the ailing when it began. */
  readonly ailing: boolean;
  slow: boolean;
}

export interface LanesOptions {
  readonly concurrency: number;
  readonly concurrencyPerConnection: number;
}

/**
 * Counts what is under way, by connection and overall, and says how much more to claim.
 *
 * - A connection gets at most as many attempts at once as its cap, and half of what the others leave it. When three
 *   quarters of all places are taken, one at a time: slow ones together can't take all, and nobody is shut out.
 * - Connections that ail (their last attempts failed, or have had no answer for a second) share a quarter of the places.
 * - Connections that were never tried share half of the places, and make one attempt first. An attempt that has had no answer for a second gives its
 *   place up, so that receivers which hang don't keep the others waiting for as long as they hang. At most sixteen times
 *   as many as there are places may wait so.
 * - For a connection that answers fast, some ms of work are claimed ahead, so that claims are few and large and its places
 *   never empty. For one that is slow or dead, nothing is.
 * - Where a destination takes many together, and many wait, more is claimed. A batch takes one place; it is made of what is
 *   held anyway, and waits for nothing but the batches before it.
 */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #lanes = new Map<number, Lane>();
  /** Lanes that have something waiting. */
  readonly #waiting = new Set<Lane>();
  /** Oldest first. All deliveries of a batch have the same value. */
  readonly #running = new Map<ClaimedDelivery, Running>();
  readonly #batchOf: (connectionId: number) => Batch | undefined;
  /** Ids of what could not go with others. */
  readonly #alone = new Set<string>();
  #attempts = 0;
  /** Attempts that take a place. */
  #placed = 0;
  #ailing = 0;
  /** Connections that were never tried and have an attempt under way that is not slow, when the claim began. */
  #new = 0;
  #held = 0;
  #ahead = 0;
  #together = 0;
  #begunAt = performance.now();
  #roomMadeAt = 0;

  /** @param batchOf what the destination of a connection that something is held of takes together. */
  constructor(options: LanesOptions, batchOf: (connectionId: number) => Batch | undefined = () => undefined) {
    this.#options = options;
    this.#batchOf = batchOf;
  }

  /** Deliveries under way. */
  get running(): number {
    return this.#running.size;
  }

  /** Deliveries under way and claimed ahead. */
  get held(): number {
    return this.#held;
  }

  /** How many more the claim that began may take, for batches. */
  get together(): number {
    return this.#together;
  }

  /** How many to claim at most: half of what is free, so that one claim can't give it all to the first connections. */
  room(): number {
    const { concurrency } = this.#options;
    this.#makeRoom();
    const free = Math.floor((concurrency * SHARED - this.#placed) / 2);
    return free > 0 ? free + this.#ahead : Math.max(0, concurrency - this.#placed);
  }

  /** How many more attempts the ailing may have, all together. */
  ailingRoom(): number {
    return Math.max(0, Math.max(1, Math.floor(this.#options.concurrency * AILING_SHARE)) - this.#ailing);
  }

  /** How many attempts a connection may have at once that has so many now. */
  window(running = 0): number {
    const { concurrency, concurrencyPerConnection } = this.#options;
    const left = Math.floor((concurrency * SHARED - this.#placed + running) / 2);
    return Math.max(1, Math.min(concurrencyPerConnection, left));
  }

  /** How many more connections that were never tried may be, all together. */
  newRoom(): number {
    const { concurrency } = this.#options;
    // The rest of the room to wait is for those that were known as well, and begin to hang.
    if (this.#slow >= concurrency * MAX_SLOW * SLOW_NEW_SHARE) return 0;
    return Math.max(0, Math.max(1, Math.floor(concurrency * NEW_SHARE)) - this.#new);
  }

  /** Whether anything of a connection is held here. */
  holds(connectionId: number): boolean {
    const lane = this.#lanes.get(connectionId);
    return lane !== undefined && heldOf(lane) > 0;
  }

  /** A claim begins. Returns how many to claim of those that something is or was held of, by id. */
  begin(): Record<string, number> {
    const allowances: Record<string, number> = {};
    const now = performance.now();
    const elapsed = Math.max(1, now - this.#begunAt);
    this.#begunAt = now;
    this.#ahead = 0;
    this.#new = 0;
    this.#makeRoom();
    let ailingLeft = this.ailingRoom();
    const ailing = [...this.#lanes.values()].filter((lane) => this.#ails(lane)).length;
    const each = Math.max(1, Math.floor(ailingLeft / Math.max(1, ailing)));
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
      else if (this.#ails(lane)) {
        // Of those that ail nothing is claimed ahead: it would only wait here, and in the way of the others.
        const more = Math.max(0, Math.min(each, ailingLeft, this.window(lane.running - lane.slow) - held));
        allowances[id] = more;
        ailingLeft -= more;
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

  /** Takes in what was claimed with these allowances. */
  add(claims: readonly ClaimedDelivery[], allowances: Readonly<Record<string, number>>, window: number): void {
    const counts = new Map<number, number>();
    for (const claim of claims) {
      const lane = this.#lanes.get(claim.connectionId) ?? this.#lane(claim.connectionId, !claim.known);
      if (claim.ailing || claim.probe) lane.ailing = true;
      lane.batch = this.#batchOf(claim.connectionId);
      if (lane.batch) lane.bytes += (claim.event.payload.length - lane.bytes) / BYTES_OF;
      (lane.batch && this.#isFresh(claim) ? lane.fresh : lane.waiting).push(claim);
      this.#waiting.add(lane);
      counts.set(claim.connectionId, (counts.get(claim.connectionId) ?? 0) + 1);
    }
    this.#held += claims.length;
    for (const [id, lane] of this.#lanes) lane.hungry = (counts.get(id) ?? 0) >= (allowances[id] ?? window);
  }

  /** What may be attempted together now, by connection. Each counts as running until `done`. To be asked before `start`. */
  startTogether(): ClaimedDelivery[][] {
    const started: ClaimedDelivery[][] = [];
    const startedAt = performance.now();
    this.#makeRoom();
    for (const lane of this.#waiting) {
      if (lane.batch === undefined || this.#ails(lane) || lane.isNew) continue;
      while (lane.fresh.length >= lane.batch.from && lane.batches < MAX_BATCHES) {
        if (this.#placed >= this.#options.concurrency || lane.running >= this.#allowed(lane)) break;
        const claims = lane.fresh.splice(0, countOfBatch(lane.fresh, lane.batch));
        const running = { startedAt, lane, left: claims.length, isBatch: true, ailing: false, slow: false };
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

  /** What may be attempted now. It counts as running until `done`. */
  start(): ClaimedDelivery[] {
    const started: ClaimedDelivery[] = [];
    const startedAt = performance.now();
    this.#makeRoom();
    for (const lane of this.#waiting) {
      const free = this.#options.concurrency - this.#placed;
      const ailing = this.#ails(lane);
      // Few go one by one; many wait for the batches before them.
      const few = ailing || lane.isNew || lane.fresh.length < (lane.batch?.from ?? 0) ? lane.fresh : [];
      const count = Math.min(lane.waiting.length + few.length, this.#allowed(lane) - lane.running, free);
      if (count <= 0) continue;
      const claims = lane.waiting.splice(0, count);
      claims.push(...few.splice(0, count - claims.length));
      for (const claim of claims) {
        started.push(claim);
        this.#running.set(claim, { startedAt, lane, left: 1, isBatch: false, ailing, slow: false });
      }
      lane.running += count;
      this.#attempts += count;
      this.#placed += count;
      if (ailing) this.#ailing += count;
      if (waitingOf(lane) === 0) this.#waiting.delete(lane);
    }
    return started;
  }

  /**
   * A delivery of a batch has to go by itself: from now on it waits for a place of its own. False when nothing of its
   * connection may wait here.
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

  /** A delivery has its result. Returns how many attempts in a row had no good answer. */
  done(claim: ClaimedDelivery, verdict: 'good' | 'bad' | null): number {
    const running = this.#running.get(claim);
    if (!running) return 0;
    const { lane } = running;
    this.#running.delete(claim);
    this.#held--;
    running.left--;
    // A batch keeps its place until the last of it is over, which is at once.
    if (running.left > 0) lane.carried--;
    else {
      lane.running--;
      this.#attempts--;
      if (running.isBatch) lane.batches--;
      if (running.slow) lane.slow--;
      else this.#placed--;
      if (running.ailing) this.#ailing--;
    }
    if (verdict === 'good') {
      lane.answered++;
      lane.failures = 0;
      lane.ailing = false;
      lane.isNew = false;
    }
    if (verdict === 'bad') lane.failures++;
    return lane.failures;
  }

  /** True when something may be due that was left because its connection had enough, and now has room for it. */
  hungry(): boolean {
    const now = performance.now();
    for (const lane of this.#lanes.values()) {
      if (!lane.hungry || lane.pausedUntil > now) continue;
      if (heldOf(lane) < this.#target(lane)) return true;
    }
    return false;
  }

  /** True when it is time to claim again for a connection, or for any. */
  low(connectionId?: number): boolean {
    if (connectionId !== undefined) return this.#isLow(this.#lane(connectionId));
    for (const lane of this.#lanes.values()) if (this.#isLow(lane)) return true;
    return false;
  }

  /** Claims nothing of a connection for so many milliseconds. Returns what was claimed ahead of it. */
  pause(connectionId: number, ms: number): ClaimedDelivery[] {
    const lane = this.#lane(connectionId);
    lane.pausedUntil = performance.now() + ms;
    lane.failures = 0;
    return this.drop(connectionId);
  }

  /** Milliseconds until the first of the paused connections may be claimed of again; null when none is paused. */
  pauseEndsInMs(): number | null {
    let first = Number.POSITIVE_INFINITY;
    const now = performance.now();
    for (const { pausedUntil } of this.#lanes.values()) if (pausedUntil > now) first = Math.min(first, pausedUntil);
    return first === Number.POSITIVE_INFINITY ? null : first - now;
  }

  /** Gives up what waits: of one connection, or all. */
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

  /** Half of what the connection may have is used up. */
  #isLow(lane: Lane): boolean {
    if (!lane.hungry || lane.pausedUntil > performance.now()) return false;
    return heldOf(lane) <= this.#target(lane) / 2;
  }

  /** How many to hold of it: what may be under way and what is claimed ahead, or two batches where there may be as much. */
  #target(lane: Lane): number {
    const usual = this.#allowed(lane) + lane.ahead;
    if (!this.#wantsBatches(lane)) return usual;
    const { max, maxBytes } = lane.batch as Batch;
    const most = MAX_BATCHES * Math.min(max, Math.floor(maxBytes / Math.max(1, lane.bytes)));
    return Math.max(usual, Math.min(most, heldOf(lane) + MAX_TOGETHER_HELD - this.#held));
  }

  /** Where there is more than was asked for, and it may go together. */
  #wantsBatches(lane: Lane): boolean {
    return lane.batch !== undefined && lane.hungry && !lane.isNew && !this.#ails(lane) && lane.pausedUntil <= performance.now();
  }

  /** A first attempt that nobody asked for: what went wrong with others, or may have arrived already, goes by itself. */
  #isFresh({ id, attemptCount, wasRetrying, trigger, probe }: ClaimedDelivery): boolean {
    return attemptCount === 0 && !wasRetrying && trigger === 'automatic' && !probe && !this.#alone.has(id);
  }

  /** How many attempts it may have at once now. */
  #allowed(lane: Lane): number {
    const window = this.window(lane.running - lane.slow);
    if (this.#ails(lane)) return Math.min(window, lane.running + this.ailingRoom());
    if (lane.isNew) return 1;
    // Slow, though well: it may wait beside the others for as long as there is room to wait.
    return lane.slow === 0 || this.#slow < this.#options.concurrency * MAX_SLOW ? window : lane.running;
  }

  /** One that answered before is not taken for ailing only because it takes its time. */
  #ails(lane: Lane): boolean {
    return lane.ailing || lane.failures > 0 || (lane.slow > 0 && lane.isNew);
  }

  get #slow(): number {
    return this.#attempts - this.#placed;
  }

  /** Attempts that have had no answer for long leave their places, as far as there is room to wait. */
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
        ...{ hungry: false, failures: 0, ailing: false, isNew, pausedUntil: 0 },
      };
      this.#lanes.set(id, lane);
    }
    return lane;
  }
}

/** Payloads over which their size is smoothed. */
const BYTES_OF = 16;

function waitingOf({ waiting, fresh }: Lane): number {
  return waiting.length + fresh.length;
}

function heldOf(lane: Lane): number {
  return lane.running + lane.carried + waitingOf(lane);
}

/** How many of these go into the next batch: as many as it takes, by number and bytes. */
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
