import { InputError, type Problem, type ProblemCode } from './InputError.js';

/** Gathers everything that is wrong with an input, so that a person can mend it in one go. */
export class ProblemList {
  readonly #problems: Problem[] = [];

  add(code: ProblemCode, message: string, ...path: string[]): void {
    this.#problems.push({ code, message, path });
  }

  /** Throws an InputError when there is anything in the list. */
  throwIfAny(): void {
    if (this.#problems.length > 0) throw new InputError(this.#problems);
  }
}
