import type { Settlement } from './Settlement.js';

export interface SettlerOptions {
  /** Writes a batch: at most one result for each delivery, ordered by id. `again`: an earlier try may have written it. */
  readonly write: (batch: readonly Settlement[], again: boolean) => Promise<void>;
  /** Told of each batch once it is written. Must not reject. */
  readonly onSettled: (batch: readonly Settlement[]) => Promise<void>;
  readonly onTrouble: (error: unknown, unsettled: number) => void;
}

/** Rows of one statement. */
const MAX_BATCH = 1_000;

/** Results gather for so many ms before they are written: few large statements cost the database less than many small. */
const GATHER_MS = 25;

/** With so many, they are written at once. */
const ENOUGH = 500;

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Keeps results until the database has them, and writes them in batches: while one is being written, the next gathers.
 * It goes on for as long as the database is away; nothing is given up but by `flush` at the end.
 */
export class Settler {
  readonly #options: SettlerOptions;
  #queue: Settlement[] = [];
  #writing = false;
  #timer: NodeJS.Timeout | undefined;
  #pauseMs = 0;
  /** Results of the batch that is being written. */
  #underWay = 0;
  #idle: (() => void)[] = [];
  #closed = false;

  constructor(options: SettlerOptions) {
    this.#options = options;
  }

  /** Results that the database does not have yet. */
  get unsettled(): number {
    return this.#queue.length + this.#underWay;
  }

  add(settlement: Settlement): void {
    this.#queue.push(settlement);
    if (this.#writing || this.#closed) return;
    if (this.#queue.length >= ENOUGH) void this.#write();
    else this.#timer ??= setTimeout(() => void this.#write(), GATHER_MS);
  }

  /** Resolves when nothing is left, or after so many milliseconds. */
  async flush(timeoutMs: number): Promise<void> {
    if (this.#queue.length === 0 && !this.#writing) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#idle.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Ends all tries; what is unsettled is left to its lease. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = true;
    do {
      const batch = this.#takeBatch();
      this.#underWay = batch.length;
      await this.#writeUntilWritten(batch);
      this.#underWay = 0;
      await this.#options.onSettled(batch);
    } while (this.#queue.length >= (this.#idle.length > 0 ? 1 : ENOUGH) && !this.#closed);
    this.#writing = false;
    if (this.#queue.length > 0 && !this.#closed) this.#timer = setTimeout(() => void this.#write(), GATHER_MS);
    else for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #writeUntilWritten(batch: readonly Settlement[]): Promise<void> {
    const sorted = [...batch].sort((a, b) => (a.id < b.id ? -1 : 1));
    for (let again = false; !this.#closed; again = true) {
      try {
        await this.#options.write(sorted, again);
        this.#pauseMs = 0;
        return;
      } catch (error) {
        this.#options.onTrouble(error, this.unsettled);
        this.#pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, this.#pauseMs * 2));
        await new Promise((resolve) => setTimeout(resolve, this.#pauseMs));
      }
    }
  }

  /** In the order in which they came; a second result of the same delivery waits for the next batch. */
  #takeBatch(): Settlement[] {
    const batch = new Map<string, Settlement>();
    const later: Settlement[] = [];
    for (const settlement of this.#queue) {
      if (batch.size >= MAX_BATCH || batch.has(settlement.id)) later.push(settlement);
      else batch.set(settlement.id, settlement);
    }
    this.#queue = later;
    return [...batch.values()];
  }
}
