/** Codes of the OpenAPI description's ErrorObject that are used here. */
export type JsonApiCode =
  | 'unknown_field'
  | 'invalid'
  | 'forbidden'
  | 'invalid_choice'
  | 'min_value'
  | 'null'
  | 'not_found'
  | 'required'
  | 'not_a_list'
  | 'non_field_errors'
  | 'authentication_failed';

interface CallError {
  readonly status: number;
  /** The code in REST. */
  readonly jsonApi: JsonApiCode;
  readonly means: string;
}

/**
 * Errors that concern a call as a whole, with their status and their code in both transports. GraphQL shows the key as
 * `extensions.code`, REST the `jsonApi` code. docs/errors.md says what to do about each.
 */
export const callErrors = {
  BAD_USER_INPUT: { status: 400, jsonApi: 'invalid', means: 'The call is not well formed.' },
  ORGANIZATION_REQUIRED: { status: 400, jsonApi: 'required', means: 'A platform must say for which organization it calls.' },
  ORGANIZATION_INVALID: { status: 400, jsonApi: 'invalid', means: 'The header Switchboard-Organization is not well formed.' },
  UNAUTHENTICATED: { status: 401, jsonApi: 'authentication_failed', means: 'The credentials are missing or not good.' },
  SESSION_EXPIRED: { status: 401, jsonApi: 'authentication_failed', means: 'The time of this session is over.' },
  SESSION_ENDED: { status: 401, jsonApi: 'authentication_failed', means: 'This session was ended before its time.' },
  FORBIDDEN: { status: 403, jsonApi: 'forbidden', means: 'The credentials are good, but may not do that.' },
  NOT_FOUND: { status: 404, jsonApi: 'not_found', means: 'It is not there, or not yours.' },
  ORGANIZATION_NOT_FOUND: {
    status: 404,
    jsonApi: 'not_found',
    means: 'There is no organization of that name, or it is being deleted.',
  },
  METHOD_NOT_ALLOWED: { status: 405, jsonApi: 'invalid', means: 'The address exists, but not for this method.' },
  NOT_ACCEPTABLE: { status: 406, jsonApi: 'invalid', means: 'Answers are JSON, and the Accept header excludes it.' },
  KEY_IN_USE: { status: 409, jsonApi: 'non_field_errors', means: 'The first request with this Idempotency-Key has no answer.' },
  PAYLOAD_TOO_LARGE: { status: 413, jsonApi: 'invalid', means: 'The body is larger than this address takes.' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, jsonApi: 'invalid', means: 'The body is of a type that is not taken here.' },
  KEY_OF_ANOTHER_REQUEST: { status: 422, jsonApi: 'invalid', means: 'This Idempotency-Key belongs to another request.' },
  RATE_LIMITED: { status: 429, jsonApi: 'non_field_errors', means: 'Too many calls, or too many failed log-ins.' },
  TOO_MANY_WAITING: {
    status: 429,
    jsonApi: 'non_field_errors',
    means: 'As many deliveries wait as may, or would with this publish.',
  },
  INTERNAL_SERVER_ERROR: { status: 500, jsonApi: 'non_field_errors', means: 'Our fault; the id finds it in the log.' },
  SERVICE_UNAVAILABLE: { status: 503, jsonApi: 'non_field_errors', means: 'Stopping, or without database, for the moment.' },
  STORAGE_FULL: { status: 503, jsonApi: 'non_field_errors', means: 'The database has no room left; reading works.' },
} as const satisfies Record<string, CallError>;

interface InputProblem {
  readonly jsonApi: JsonApiCode;
  readonly means: string;
}

/** Problems of an input that a person can fix. GraphQL shows the key in `userErrors`, REST the `jsonApi` code with status 400. */
export const inputProblems = {
  REQUIRED: { jsonApi: 'required', means: 'The field is missing.' },
  INVALID: { jsonApi: 'invalid', means: 'The value has the wrong form or is not allowed here.' },
  INVALID_CHOICE: { jsonApi: 'invalid_choice', means: 'The value is not one of the allowed values.' },
  NOT_FOUND: { jsonApi: 'not_found', means: 'The object does not exist or is not yours.' },
  MIN_VALUE: { jsonApi: 'min_value', means: 'The value is too small.' },
  MAX_VALUE: { jsonApi: 'invalid', means: 'The value is too large.' },
  FORBIDDEN: { jsonApi: 'forbidden', means: 'The caller may not do this.' },
  CONFLICT: { jsonApi: 'non_field_errors', means: 'The input conflicts with existing data.' },
  UNKNOWN_FIELD: { jsonApi: 'unknown_field', means: 'There is no field with this name.' },
  NOT_A_LIST: { jsonApi: 'not_a_list', means: 'The value must be a list.' },
} as const satisfies Record<string, InputProblem>;

/** Codes of input problems, named like the codes of the OpenAPI description's ErrorObject. */
export type ProblemCode = keyof typeof inputProblems;
export const PROBLEM_CODES = Object.keys(inputProblems) as readonly ProblemCode[];

/** One problem of an input. */
export interface Problem {
  readonly code: ProblemCode;
  /** A sentence that says how to fix it. */
  readonly message: string;
  /** Position in the input, from its root. List positions are decimal strings. */
  readonly path: readonly string[];
}

/** Thrown by a use case that refuses its input. Nothing was changed. Has at least one problem. */
export class InputError extends Error {
  constructor(readonly problems: readonly Problem[]) {
    super(problems.map((problem) => problem.message).join(' '));
    this.name = 'InputError';
  }

  static of(code: ProblemCode, message: string, ...path: string[]): InputError {
    return new InputError([{ code, message, path }]);
  }
}

/** Maximum number of reported problems. More would not help a caller, and would make the response to a bad call huge. */
export const MOST_PROBLEMS = 20;
/** Maximum characters of one part of a path, because a caller can send a field name of any length. */
const MOST_NAME = 120;

/** Collects up to 20 problems of an input, so that a person can fix them all at once. */
export class ProblemList {
  readonly #problems: Problem[] = [];

  add(code: ProblemCode, message: string, ...path: string[]): void {
    if (this.#problems.length >= MOST_PROBLEMS) return;
    this.#problems.push({ code, message, path: path.map((part) => part.slice(0, MOST_NAME)) });
  }

  /** Throws an InputError when the list is not empty. */
  throwIfAny(): void {
    if (this.#problems.length > 0) throw new InputError(this.#problems);
  }
}

/** Codes of errors that concern a call as a whole. Each transport renders them in its own way. */
export type ErrorCode = keyof typeof callErrors;

/** Details of an error that a program needs besides the code. */
export interface ErrorFacts {
  /** Seconds after which the caller may retry. */
  readonly retryAfterSeconds?: number;
  /** What is wrong with the access token (RFC 6750 3.1). */
  readonly bearerError?: 'invalid_token' | 'insufficient_scope';
  /** The scope that is required. */
  readonly scope?: string;
  /** The origin of pages that may also read the error. */
  readonly readableBy?: string;
  /** The allowed methods (RFC 9110 10.2.1). */
  readonly allow?: readonly string[];
  /** The invalid query parameter. */
  readonly parameter?: string;
  /** The invalid header. */
  readonly header?: string;
}

/** The base class of errors that callers see. `message` is public. */
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
