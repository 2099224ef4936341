/** Returns growing pauses between tries: each twice as long as the previous one, up to a maximum, with a random spread. */
export class Backoff {
  #ms = 0;

  /** Durations in milliseconds. */
  constructor(
    private readonly firstMs: number,
    private readonly longestMs: number,
  ) {}

  /** Returns the milliseconds to wait after a failure, ±25 %, so that processes that failed together do not retry together. */
  next(): number {
    this.#ms = Math.min(this.longestMs, Math.max(this.firstMs, this.#ms * 2));
    return this.#ms * (0.75 + Math.random() / 2);
  }

  /** Makes the next pause the shortest again, after a success. */
  reset(): void {
    this.#ms = 0;
  }

  /** Makes the next pause the longest. */
  exhaust(): void {
    this.#ms = this.longestMs;
  }
}
