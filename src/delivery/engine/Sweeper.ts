import type pg from 'pg';
import type { Database } from '../../database/Database.js';
import { releaseHeld } from '../queue/releaseHeld.js';
import { Alarm } from './Alarm.js';
import { sweepQueues } from './sweepQueues.js';

export interface SweeperOptions {
  readonly database: Database;
  readonly pool: pg.Pool;
  readonly sweepMs: number;
  readonly releasePerSecond: number;
  /** After each round; `released` deliveries are in the queue again. */
  readonly onSwept: (released: number) => void;
  readonly onTrouble: (error: unknown) => void;
}

/** Holds, releases and cancels what the state of its connection asks for, again and again. */
export class Sweeper {
  readonly #options: SweeperOptions;
  readonly #alarm = new Alarm();
  #running: Promise<void> | undefined;
  #stopping = false;

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** A connection's state has changed. */
  wake(): void {
    this.#alarm.wake();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#alarm.wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { sweepMs, onSwept, onTrouble } = this.#options;
    while (!this.#stopping) {
      let more = false;
      try {
        const { more: left, released } = await this.#sweep();
        more = left;
        onSwept(released);
      } catch (error) {
        onTrouble(error);
      }
      // The spread keeps processes that were started together from sweeping together.
      if (!more) await this.#alarm.sleep(sweepMs * (0.8 + 0.4 * Math.random()));
    }
  }

  async #sweep(): Promise<{ more: boolean; released: number }> {
    const { database, pool, releasePerSecond } = this.#options;
    const { more, releasable } = await sweepQueues(pool);
    let released = 0;
    for (const connectionId of releasable) {
      if (this.#stopping) break;
      released += await releaseHeld(database.em(), connectionId, { perSecond: releasePerSecond });
    }
    return { more, released };
  }
}
