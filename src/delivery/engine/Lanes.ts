import type { ClaimedDelivery } from './ClaimedDelivery.js';

/** How many ms of work are claimed ahead for a connection that answers fast. */
const AHEAD_MS = 100;

/** Most that is claimed ahead, for one connection and for all. */
const MAX_AHEAD = 512;
const MAX_AHEAD_OVERALL = 2_048;

/** Part of all places that several attempts of one connection may take; the rest is for first attempts of others. */
const SHARED = 3 / 4;

/** What this process holds of one connection. */
interface Lane {
  running: number;
  readonly waiting: ClaimedDelivery[];
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
  /** `performance.now()` before which nothing is claimed. */
  pausedUntil: number;
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
 * - For a connection that answers fast, some ms of work are claimed ahead, so that claims are few and large and its places
 *   never empty. For one that is slow or dead, nothing is.
 */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #lanes = new Map<number, Lane>();
  /** Lanes that have something waiting. */
  readonly #waiting = new Set<Lane>();
  #running = 0;
  #held = 0;
  #ahead = 0;
  #begunAt = performance.now();

  constructor(options: LanesOptions) {
    this.#options = options;
  }

  /** Attempts under way. */
  get running(): number {
    return this.#running;
  }

  /** Attempts under way and deliveries claimed ahead. */
  get held(): number {
    return this.#held;
  }

  /** How many to claim at most: half of what is free, so that one claim can't give it all to the first connections. */
  room(): number {
    const { concurrency } = this.#options;
    const free = Math.floor((concurrency * SHARED - this.#running) / 2);
    return free > 0 ? free + this.#ahead : Math.max(0, concurrency - this.#running);
  }

  /** How many attempts a connection may have at once that has so many now. */
  window(running = 0): number {
    const { concurrency, concurrencyPerConnection } = this.#options;
    const left = Math.floor((concurrency * SHARED - this.#running + running) / 2);
    return Math.max(1, Math.min(concurrencyPerConnection, left));
  }

  /** A claim begins. Returns how many to claim of those that something is or was held of, by id. */
  begin(): Record<string, number> {
    const allowances: Record<string, number> = {};
    const now = performance.now();
    const elapsed = Math.max(1, now - this.#begunAt);
    this.#begunAt = now;
    this.#ahead = 0;
    for (const [id, lane] of this.#lanes) {
      const held = lane.running + lane.waiting.length;
      if (held + lane.answered === 0 && lane.pausedUntil <= now) {
        this.#lanes.delete(id);
        continue;
      }
      lane.rate = (lane.rate + lane.answered / elapsed) / 2;
      lane.answered = 0;
      lane.ahead = Math.min(MAX_AHEAD, Math.floor(lane.rate * AHEAD_MS));
      this.#ahead += lane.ahead;
      allowances[id] = lane.pausedUntil > now ? 0 : Math.max(0, this.window(lane.running) + lane.ahead - held);
    }
    this.#ahead = Math.min(MAX_AHEAD_OVERALL, this.#ahead);
    return allowances;
  }

  /** Takes in what was claimed with these allowances. */
  add(claims: readonly ClaimedDelivery[], allowances: Readonly<Record<string, number>>, window: number): void {
    const counts = new Map<number, number>();
    for (const claim of claims) {
      const lane = this.#lane(claim.connectionId);
      lane.waiting.push(claim);
      this.#waiting.add(lane);
      counts.set(claim.connectionId, (counts.get(claim.connectionId) ?? 0) + 1);
    }
    this.#held += claims.length;
    for (const [id, lane] of this.#lanes) lane.hungry = (counts.get(id) ?? 0) >= (allowances[id] ?? window);
  }

  /** What may be attempted now. It counts as running until `done`. */
  start(): ClaimedDelivery[] {
    const started: ClaimedDelivery[] = [];
    for (const lane of this.#waiting) {
      const allowed = this.window(lane.running) - lane.running;
      const count = Math.min(lane.waiting.length, allowed, this.#options.concurrency - this.#running);
      if (count <= 0) continue;
      for (const claim of lane.waiting.splice(0, count)) started.push(claim);
      lane.running += count;
      this.#running += count;
      if (lane.waiting.length === 0) this.#waiting.delete(lane);
    }
    return started;
  }

  /** An attempt is over. Returns how many in a row had no good answer. */
  done(connectionId: number, verdict: 'good' | 'bad' | null): number {
    const lane = this.#lane(connectionId);
    this.#running--;
    this.#held--;
    lane.running--;
    if (verdict === 'good') {
      lane.answered++;
      lane.failures = 0;
    }
    if (verdict === 'bad') lane.failures++;
    return lane.failures;
  }

  /** True when something may be due that was left because its connection had enough, and now has room for it. */
  hungry(): boolean {
    const now = performance.now();
    for (const lane of this.#lanes.values()) {
      if (!lane.hungry || lane.pausedUntil > now) continue;
      if (lane.running + lane.waiting.length < this.window(lane.running) + lane.ahead) return true;
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

  /** Gives up what waits: of one connection, or all. */
  drop(connectionId?: number): ClaimedDelivery[] {
    const dropped: ClaimedDelivery[] = [];
    for (const [id, lane] of this.#lanes) {
      if (connectionId === undefined || id === connectionId) {
        dropped.push(...lane.waiting.splice(0));
        this.#waiting.delete(lane);
      }
    }
    this.#held -= dropped.length;
    return dropped;
  }

  /** Half of what the connection may have is used up. */
  #isLow(lane: Lane): boolean {
    if (!lane.hungry || lane.pausedUntil > performance.now()) return false;
    return lane.running + lane.waiting.length <= (this.window(lane.running) + lane.ahead) / 2;
  }

  #lane(id: number): Lane {
    let lane = this.#lanes.get(id);
    if (!lane) {
      lane = { running: 0, waiting: [], answered: 0, rate: 0, ahead: 0, hungry: false, failures: 0, pausedUntil: 0 };
      this.#lanes.set(id, lane);
    }
    return lane;
  }
}
