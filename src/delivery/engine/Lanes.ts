import type { ClaimedDelivery } from './ClaimedDelivery.js';

/** Most that is claimed ahead for one connection. */
const MAX_AHEAD = 256;

/** What this process holds of one connection. */
interface Lane {
  running: number;
  readonly waiting: ClaimedDelivery[];
  /** Good answers since the last claim: how fast the connection takes deliveries. */
  lately: number;
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
 * - For a connection that answers fast, deliveries are claimed ahead: as many as it took since the last claim, which is
 *   about what it takes until the next. For one that is slow or dead, nothing is.
 */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #lanes = new Map<number, Lane>();
  /** Lanes that have something waiting, in the order in which they get their turn. */
  readonly #waiting = new Set<Lane>();
  #running = 0;
  #held = 0;
  #lately = 0;

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
    return Math.max(0, this.#options.concurrency + Math.min(this.#lately, MAX_AHEAD) - this.#held);
  }

  /** How many to claim of a connection that nothing is held of. */
  window(): number {
    const { concurrency, concurrencyPerConnection } = this.#options;
    return Math.min(concurrencyPerConnection, 1 + concurrency - this.#running);
  }

  /** How many to claim of those that something is held of, by id. */
  allowances(): Record<string, number> {
    const window = this.window();
    const allowances: Record<string, number> = {};
    for (const [id, lane] of this.#lanes) {
      if (lane.running + lane.waiting.length === 0) this.#lanes.delete(id);
      else allowances[id] = Math.max(0, window + Math.min(lane.lately, MAX_AHEAD) - lane.running - lane.waiting.length);
    }
    return allowances;
  }

  /** Takes in what was claimed with these allowances. */
  add(claims: readonly ClaimedDelivery[], allowances: Readonly<Record<string, number>>, window: number): void {
    this.#lately = 0;
    for (const lane of this.#lanes.values()) lane.lately = 0;
    const counts = new Map<number, number>();
    for (const claim of claims) {
      const lane = this.#lane(claim.connectionId);
      lane.waiting.push(claim);
      this.#waiting.add(lane);
      counts.set(claim.connectionId, (counts.get(claim.connectionId) ?? 0) + 1);
    }
    this.#held += claims.length;
    for (const [id, lane] of this.#lanes) {
      const allowance = allowances[id] ?? window;
      lane.hungry = (counts.get(id) ?? 0) >= allowance;
    }
  }

  /** What may be attempted now. It counts as running until `done`. */
  start(): ClaimedDelivery[] {
    const started: ClaimedDelivery[] = [];
    const window = this.window();
    for (const lane of this.#waiting) {
      const count = Math.min(lane.waiting.length, window - lane.running, this.#options.concurrency - this.#running);
      if (count <= 0) continue;
      started.push(...lane.waiting.splice(0, count));
      lane.running += count;
      this.#running += count;
      if (lane.waiting.length === 0) this.#waiting.delete(lane);
    }
    return started;
  }

  /**
   * An attempt is over.
   * @returns true when it is time to claim again for its connection: half of what it may have is used up.
   */
  done(claim: ClaimedDelivery, good: boolean): boolean {
    const lane = this.#lanes.get(claim.connectionId);
    this.#running--;
    this.#held--;
    if (!lane) return false;
    lane.running--;
    if (good) {
      lane.lately++;
      this.#lately++;
    }
    const held = lane.running + lane.waiting.length;
    return lane.hungry && held <= (this.#options.concurrencyPerConnection + Math.min(lane.lately, MAX_AHEAD)) / 2;
  }

  /** True when something may be due that was left because a connection, or all together, had enough. */
  hungry(): boolean {
    for (const lane of this.#lanes.values()) if (lane.hungry) return true;
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

  #lane(id: number): Lane {
    let lane = this.#lanes.get(id);
    if (!lane) {
      lane = { running: 0, waiting: [], lately: 0, hungry: false };
      this.#lanes.set(id, lane);
    }
    return lane;
  }
}
