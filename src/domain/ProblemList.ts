import { InputError, type Problem, type ProblemCode } from './InputError.js';

/** So many are told: more would not help anyone to mend an input, and would let a bad call produce a huge answer. */
export const MOST_PROBLEMS = 20;
/** Characters of one part of a path: a field's name can be as long as a caller likes. */
const MOST_NAME = 120;

/** Gathers what is wrong with an input, up to 20 problems, so that a person can mend it in one go. */
export class ProblemList {
  readonly #problems: Problem[] = [];

  add(code: ProblemCode, message: string, ...path: string[]): void {
    if (this.#problems.length >= MOST_PROBLEMS) return;
    this.#problems.push({ code, message, path: path.map((part) => part.slice(0, MOST_NAME)) });
  }

  /** Throws an InputError when there is anything in the list. */
  throwIfAny(): void {
    if (this.#problems.length > 0) throw new InputError(this.#problems);
  }
}
