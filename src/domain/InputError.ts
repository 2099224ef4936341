import { inputProblems } from './errorCatalogue.js';

/** Codes of what a person can mend in an input, after the codes of the OpenAPI description's ErrorObject. */
export type ProblemCode = keyof typeof inputProblems;
export const PROBLEM_CODES = Object.keys(inputProblems) as readonly ProblemCode[];

/** One thing that is wrong with an input. */
export interface Problem {
  readonly code: ProblemCode;
  /** A sentence that says what to do. */
  readonly message: string;
  /** Where in the input, from its root; list positions as decimal strings. */
  readonly path: readonly string[];
}

/** Thrown by a use case when its input can't be accepted; nothing was changed. Never empty. */
export class InputError extends Error {
  constructor(readonly problems: readonly Problem[]) {
    super(problems.map((problem) => problem.message).join(' '));
    this.name = 'InputError';
  }

  static of(code: ProblemCode, message: string, ...path: string[]): InputError {
    return new InputError([{ code, message, path }]);
  }
}
