import { ChangesLost } from './ChangesLost.js';

/** A reader that falls further behind than this has lost the thread. */
const MOST_WAITING = 10_000;
/** Rows read at once. */
const BATCH = 100;

/** Reads rows as they are now; rows that are not there, or not wanted, are left out. */
export type LoadRows<Row> = (ids: readonly string[]) => Promise<readonly Row[]>;

/**
 * The rows that changed, one after another, each as it is when it is read: changes in quick succession come as one.
 *
 * Not a generator: `return` of one that waits would wait as well, and a reader may leave while nothing happens.
 */
export class Watch<Row> implements AsyncIterableIterator<Row, undefined> {
  readonly #waiting = new Set<string>();
  #read: Row[] = [];
  #wake: (() => void) | undefined;
  #ended: { readonly error?: Error } | undefined;

  constructor(
    private readonly load: LoadRows<Row>,
    private readonly onEnd: (watch: Watch<Row>) => void,
  ) {}

  /** Something changed. */
  tell(ids: readonly string[]): void {
    for (const id of ids) this.#waiting.add(id);
    if (this.#waiting.size > MOST_WAITING) this.fail(new ChangesLost('more changed than you read'));
    this.#wake?.();
  }

  /** Ends the watch for a reason that its reader has to know. */
  fail(error: Error): void {
    this.#end({ error });
  }

  async next(): Promise<IteratorResult<Row, undefined>> {
    for (;;) {
      if (this.#ended?.error) throw this.#ended.error;
      if (this.#ended) return { done: true, value: undefined };
      const row = this.#read.shift();
      if (row !== undefined) return { done: false, value: row };
      if (this.#waiting.size > 0) await this.#readSome();
      else await this.#somethingNew();
    }
  }

  async return(): Promise<IteratorResult<Row, undefined>> {
    this.#end({});
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #readSome(): Promise<void> {
    const ids = [...this.#waiting].slice(0, BATCH);
    for (const id of ids) this.#waiting.delete(id);
    try {
      this.#read = [...(await this.load(ids))];
    } catch (error) {
      this.fail(error as Error);
    }
  }

  #somethingNew(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #end(how: { readonly error?: Error }): void {
    if (this.#ended) return;
    this.#ended = how;
    this.#wake?.();
    this.onEnd(this);
  }
}
