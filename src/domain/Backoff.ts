/** Growing pauses between tries: each twice as long as the one before, up to the longest, and with some spread. */
export class Backoff {
  #ms = 0;

  /** Milliseconds. */
  constructor(
    private readonly firstMs: number,
    private readonly longestMs: number,
  ) {}

  /** Milliseconds to wait after one more failure, ±25 %, so that those who failed together don't come back together. */
  next(): number {
    this.#ms = Math.min(this.longestMs, Math.max(this.firstMs, this.#ms * 2));
    return this.#ms * (0.75 + Math.random() / 2);
  }

  /** It worked: the next pause is a short one again. */
  reset(): void {
    this.#ms = 0;
  }

  /** There is no hurry: the next pause is the longest. */
  exhaust(): void {
    this.#ms = this.longestMs;
  }
}
