/** A reader that falls further behind than this has lost the thread. */
const MOST_WAITING = 10_000;

export interface WatchOptions<Row> {
  /** Which rows are wanted, of all that change. */
  readonly wants: (row: Row) => boolean;
  /** Asked before a row is handed out; throws when the reader may not have it any more. */
  readonly admit: () => Promise<unknown>;
  readonly onEnd: () => void;
}

/**
 * The rows that change, one after another: of one that changes again before it was read, only the latest state.
 *
 * Not a generator: `return` of one that waits would wait as well, and a reader may leave while nothing happens.
 */
export class Watch<Row extends { readonly id: number | string }> implements AsyncIterableIterator<Row, undefined> {
  readonly #rows = new Map<number | string, Row>();
  #wake: (() => void) | undefined;
  #ended: { readonly error?: Error } | undefined;

  constructor(private readonly options: WatchOptions<Row>) {}

  /** These are new or different. */
  push(rows: readonly Row[]): void {
    for (const row of rows) if (this.options.wants(row)) this.#rows.set(row.id, row);
    if (this.#rows.size > MOST_WAITING) this.fail(new ChangesLost('more changed than you read'));
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
      const [row] = this.#rows.values();
      if (row === undefined) {
        await this.#somethingNew();
        continue;
      }
      await this.#admitted();
      // It may have changed again, or the watch have ended.
      const latest = this.#rows.get(row.id);
      if (this.#ended || !latest) continue;
      this.#rows.delete(row.id);
      return { done: false, value: latest };
    }
  }

  async return(): Promise<IteratorResult<Row, undefined>> {
    this.#end({});
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #admitted(): Promise<void> {
    try {
      await this.options.admit();
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
    this.#rows.clear();
    this.#wake?.();
    this.options.onEnd();
  }
}

/** A watch may have missed something: whoever watches has to look at everything anew, and watch again. */
export class ChangesLost extends Error {
  override readonly name = 'ChangesLost';

  constructor(reason: string) {
    super(`Updates may have been missed (${reason}). Read what you need anew, and subscribe again.`);
  }
}
