type Results = AsyncGenerator<unknown, unknown, unknown>;

/**
 * The operations that go on over one websocket. The protocol's server knows them by the id that the client chose, and
 * forgets one whose id is used again in the wrong moment; what runs is kept here until it has ended.
 */
export class RunningOperations {
  readonly #running = new Set<Results>();

  get size(): number {
    return this.#running.size;
  }

  /** The same results, remembered for as long as they come. */
  remember<Result>(results: AsyncGenerator<Result, void, void>): AsyncGenerator<Result, void, void> {
    const ended = (): void => void this.#running.delete(results as Results);
    this.#running.add(results as Results);
    const watched: AsyncGenerator<Result, void, void> = {
      async next() {
        try {
          const result = await results.next();
          if (result.done) ended();
          return result;
        } catch (error) {
          ended();
          throw error;
        }
      },
      return(value) {
        ended();
        return results.return(value);
      },
      throw(error) {
        ended();
        return results.throw(error);
      },
      [Symbol.asyncIterator]: () => watched,
      async [Symbol.asyncDispose]() {
        await watched.return();
      },
    };
    return watched;
  }

  /** Ends them all. */
  end(): void {
    for (const results of this.#running) void results.return(undefined);
    this.#running.clear();
  }
}
