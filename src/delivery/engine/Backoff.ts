const FIRST_MS = 100;
const LONGEST_MS = 2_000;

/** Growing pauses between tries while something, such as the database, is away. */
export class Backoff {
  #ms = 0;

  /** Milliseconds to wait after one more failure, with some spread. */
  next(): number {
    this.#ms = Math.min(LONGEST_MS, Math.max(FIRST_MS, this.#ms * 2));
    return this.#ms * (0.75 + Math.random() / 2);
  }

  reset(): void {
    this.#ms = 0;
  }
}
