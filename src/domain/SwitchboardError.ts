import { callErrors } from './errorCatalogue.js';

/** Codes of failures that concern a call as a whole; each transport renders them in its own way. */
export type ErrorCode = keyof typeof callErrors;

/** What a program needs to know beside the code. */
export interface ErrorFacts {
  /** When to come again. */
  readonly retryAfterSeconds?: number;
  /** What was wrong with the access token (RFC 6750 3.1). */
  readonly bearerError?: 'invalid_token' | 'insufficient_scope';
  /** The scope that would do. */
  readonly scope?: string;
  /** Methods that would do (RFC 9110 10.2.1). */
  readonly allow?: readonly string[];
  /** The query parameter that is wrong. */
  readonly parameter?: string;
  /** The header that is wrong. */
  readonly header?: string;
}

/** The base of every error that is meant to be seen; `message` is public. */
export class SwitchboardError extends Error {
  readonly status: number;

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly facts: ErrorFacts = {},
  ) {
    super(message);
    this.name = 'SwitchboardError';
    this.status = callErrors[code].status;
  }
}
