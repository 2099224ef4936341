import { setImmediate } from 'node:timers/promises';
import { SwitchboardError } from '../domain/errors.js';

export interface BudgetLimits {
  /** Rows that one operation may read. */
  readonly rows: number;
  /** Of the answer, about. */
  readonly bytes: number;
}

/** Rows of a list that are answered in one go. A client that waits for others' rows waits for no more than those of one slice. */
const ROWS_A_SLICE = 50;

/** Reads of one operation at once, so that it neither takes the whole pool nor holds much more than it may answer. */
const READS_AT_ONCE = 4;

/**
 * What one operation may still read and answer. Cost is estimated before an operation runs; this is kept while it does,
 * since nobody knows before how large the rows are. When it is used up, or when the client has left, every field that is
 * still to come throws the same error, and the work ends.
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
    /** Whether nobody waits for the answer any more. */
    private readonly isAbandoned: () => boolean,
  ) {
    this.#rows = limits.rows;
    this.#bytes = limits.bytes;
  }

  /** What was exceeded; null while nothing was. */
  get exceeded(): SwitchboardError | null {
    return this.#exceeded;
  }

  /** Rows that are left. */
  get rows(): number {
    return this.#rows;
  }

  /** Bytes that are left. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Throws when there is nothing left to do. */
  check(): void {
    if (this.#exceeded) throw this.#exceeded;
    if (this.isAbandoned()) throw new SwitchboardError('BAD_USER_INPUT', 'Nobody waits for the answer any more.');
  }

  spendRows(count: number): void {
    this.#rows -= count;
    if (this.#rows < 0) this.#exceed(`The answer would take more than ${this.limits.rows} rows`);
  }

  /** A value that is about to be answered. */
  spendBytes(count: number): void {
    this.#bytes -= count;
    if (this.#bytes < 0) this.exceedBytes();
  }

  exceedBytes(): never {
    return this.#exceed(`The answer would be larger than ${Math.floor(this.limits.bytes / 1024)} KiB`);
  }

  /** Reads rows when it is this read's turn, and counts them. */
  async read<Result>(work: () => Promise<Result>, rowsOf: (result: Result) => number): Promise<Result> {
    if (this.#reading >= READS_AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#reading += 1;
    try {
      this.check();
      const result = await work();
      // Whatever else came meanwhile goes first, so that a large answer is made in small parts.
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

/** About how many bytes a field's value is in an answer, its name and signs included. */
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
