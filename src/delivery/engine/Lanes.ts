import type { ClaimedDelivery } from './ClaimedDelivery.js';

/** How many ms of work are claimed ahead for a connection that answers fast. */
const AHEAD_MS = 50;

/** Most that is claimed ahead, for one connection and for all. */
const MAX_AHEAD = 512;
const MAX_AHEAD_OVERALL = 2_048;

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
}

export interface LanesOptions {
  readonly concurrency: number;
  readonly concurrencyPerConnection: number;
}

/**
 * Counts what is under way, by connection and overall, and says how much more to claim.
 *
 * - A connection gets at most as many attempts at once as its cap, and as many as are still free: several slow ones
 *   together thus can't take all of them (dynamic thresholds, as in switches that share a buffer).
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

  /** How many to claim at most. */
  room(): number {
    return Math.max(0, this.#options.concurrency + this.#ahead - this.#held);
  }

  /** How many to claim of a connection that nothing is held of. */
  window(): number {
    const { concurrency, concurrencyPerConnection } = this.#options;
    return Math.min(concurrencyPerConnection, 1 + concurrency - this.#running);
  }

  /** A claim begins. Returns how many to claim of those that something is or was held of, by id. */
  begin(): Record<string, number> {
    const window = this.window();
    const allowances: Record<string, number> = {};
    const now = performance.now();
    const elapsed = Math.max(1, now - this.#begunAt);
    this.#begunAt = now;
    this.#ahead = 0;
    for (const [id, lane] of this.#lanes) {
      const held = lane.running + lane.waiting.length;
      if (held + lane.answered === 0) {
        this.#lanes.delete(id);
        continue;
      }
      lane.rate = (lane.rate + lane.answered / elapsed) / 2;
      lane.answered = 0;
      lane.ahead = Math.min(MAX_AHEAD, Math.floor(lane.rate * AHEAD_MS));
      this.#ahead += lane.ahead;
      allowances[id] = Math.max(0, window + lane.ahead - held);
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
      const count = Math.min(lane.waiting.length, this.window() - lane.running, this.#options.concurrency - this.#running);
      if (count <= 0) continue;
      for (const claim of lane.waiting.splice(0, count)) started.push(claim);
      lane.running += count;
      this.#running += count;
      if (lane.waiting.length === 0) this.#waiting.delete(lane);
    }
    return started;
  }

  /** An attempt is over. Returns whether it is time to claim again for its connection. */
  done(claim: ClaimedDelivery, good: boolean): boolean {
    const lane = this.#lanes.get(claim.connectionId);
    this.#running--;
    this.#held--;
    if (!lane) return false;
    lane.running--;
    if (good) lane.answered++;
    return this.#isLow(lane);
  }

  /** True when something may be due that was left because its connection had enough. */
  hungry(): boolean {
    for (const lane of this.#lanes.values()) if (lane.hungry) return true;
    return false;
  }

  /** True when it is time to claim again for some connection. */
  low(): boolean {
    for (const lane of this.#lanes.values()) if (this.#isLow(lane)) return true;
    return false;
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
    const full = this.#options.concurrencyPerConnection + lane.ahead;
    return lane.hungry && lane.running + lane.waiting.length <= full / 2;
  }

  #lane(id: number): Lane {
    let lane = this.#lanes.get(id);
    if (!lane) {
      lane = { running: 0, waiting: [], answered: 0, rate: 0, ahead: 0, hungry: false };
      this.#lanes.set(id, lane);
    }
    return lane;
  }
}
