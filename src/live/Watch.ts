/** Maximum number of waiting rows. A reader that falls further behind fails with ChangesLost. */
const MOST_WAITING = 10_000;

export interface WatchOptions<Row> {
  /** Returns whether the reader wants a changed row. */
  readonly wants: (row: Row) => boolean;
  /** Called before a row is delivered; throws when the reader may no longer have it. */
  readonly admit: () => Promise<unknown>;
  readonly onEnd: () => void;
}

/**
 * Iterates over the rows that change. When a row changes again before it is read, only its latest state is delivered.
 *
 * Not a generator, because `return` of a waiting generator waits as well, and a reader may leave while nothing happens.
 */
export class Watch<Row extends { readonly id: number | string }> implements AsyncIterableIterator<Row, undefined> {
  readonly #rows = new Map<number | string, Row>();
  #wake: (() => void) | undefined;
  #ended: { readonly error?: Error } | undefined;

  constructor(private readonly options: WatchOptions<Row>) {}

  /** Adds new or changed rows. */
  push(rows: readonly Row[]): void {
    for (const row of rows) if (this.options.wants(row)) this.#rows.set(row.id, row);
    if (this.#rows.size > MOST_WAITING) this.fail(new ChangesLost('more changed than you read'));
    this.#wake?.();
  }

  /** Ends the watch with an error that its reader receives. */
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
      // The row may have changed again meanwhile, or the watch may have ended.
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

/** Changes may have been missed. The reader must read everything again and start a new watch. */
export class ChangesLost extends Error {
  override readonly name = 'ChangesLost';

  constructor(reason: string) {
    super(`Updates may have been missed (${reason}). Read what you need anew, and subscribe again.`);
  }
}
