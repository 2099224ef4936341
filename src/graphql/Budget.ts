import { setImmediate } from 'node:timers/promises';
import { SwitchboardError } from '../domain/errors.js';

export interface BudgetLimits {
  /** Maximum number of rows that an operation may read. */
  readonly rows: number;
  /** Maximum bytes of the response, approximately. */
  readonly bytes: number;
}

/** Rows of a list that are completed in one turn of the event loop. Other callers wait for one slice at most. */
const ROWS_A_SLICE = 50;

/** Maximum concurrent reads of an operation, so that it cannot use the whole pool or hold much more than its response may have. */
const READS_AT_ONCE = 4;

/**
 * The rows and bytes that an operation may still read and answer. The cost of an operation is estimated before it runs; the
 * budget is counted while it runs, because the size of the rows is not known before. When the budget is used up, or when the
 * client has disconnected, every further field throws the same error, and the work ends.
 */
export class Budget {
  #rows: number;
  #bytes: number;
  #exceeded: SwitchboardError | null = null;
  #reading = 0;
  /** The latest slice of rows to be answered, which has places left; the first is answered at once. */
  #slice: Promise<void> | null = null;
  #placesLeft = ROWS_A_SLICE;
  readonly #waiting: (() => void)[] = [];

  constructor(
    private readonly limits: BudgetLimits,
    /** Returns whether the client has disconnected. */
    private readonly isAbandoned: () => boolean,
  ) {
    this.#rows = limits.rows;
    this.#bytes = limits.bytes;
  }

  /** The error of an exceeded budget; null while it is not exceeded. */
  get exceeded(): SwitchboardError | null {
    return this.#exceeded;
  }

  /** Remaining rows. */
  get rows(): number {
    return this.#rows;
  }

  /** Remaining bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Throws BAD_USER_INPUT when the budget is used up or the client has disconnected. */
  check(): void {
    if (this.#exceeded) throw this.#exceeded;
    if (this.isAbandoned()) throw new SwitchboardError('BAD_USER_INPUT', 'The client has disconnected.');
  }

  spendRows(count: number): void {
    this.#rows -= count;
    if (this.#rows < 0) this.#exceed(`The answer would take more than ${this.limits.rows} rows`);
  }

  /** Counts a value of the response. */
  spendBytes(count: number): void {
    this.#bytes -= count;
    if (this.#bytes < 0) this.exceedBytes();
  }

  exceedBytes(): never {
    return this.#exceed(`The answer would be larger than ${Math.floor(this.limits.bytes / 1024)} KiB`);
  }

  /** Reads rows, after waiting while too many reads are running, and counts them. */
  async read<Result>(work: () => Promise<Result>, rowsOf: (result: Result) => number): Promise<Result> {
    if (this.#reading >= READS_AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#reading += 1;
    try {
      this.check();
      const result = await work();
      // Other work goes first, so that a large response is made in small parts.
      await setImmediate();
      this.spendRows(rowsOf(result));
      return result;
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#reading -= 1;
    }
  }

  /**
   * Returns the rows of a list, those after the operation's first slice as promises: each slice is answered in a turn of the event
   * loop of its own. graphql-js completes all rows that are there in one piece, during which the process does nothing else.
   */
  inSlices(rows: readonly unknown[]): readonly unknown[] {
    return rows.map((row) => {
      if (this.#placesLeft === 0) {
        this.#slice = (this.#slice ?? Promise.resolve()).then(() => setImmediate());
        this.#placesLeft = ROWS_A_SLICE;
      }
      this.#placesLeft -= 1;
      return this.#slice ? this.#slice.then(() => row) : row;
    });
  }

  #exceed(what: string): never {
    this.#exceeded ??= new SwitchboardError('BAD_USER_INPUT', `${what}: ask for fewer rows, or fewer fields, at once.`);
    throw this.#exceeded;
  }
}

const sizes = new WeakMap<object, number>();

/** Returns the approximate bytes of a field in a response, with its name and punctuation. */
export function sizeOf(value: unknown): number {
  const overhead = 20;
  if (typeof value === 'string') return overhead + value.length;
  if (typeof value !== 'object' || value === null || value instanceof Date) return overhead;
  const known = sizes.get(value);
  if (known !== undefined) return known;
  const size = overhead + (JSON.stringify(value)?.length ?? 0);
  sizes.set(value, size);
  return size;
}
