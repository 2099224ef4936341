/** Codes of failures that concern a call as a whole; each transport renders them in its own way. */
export const ERROR_STATUS = {
  BAD_USER_INPUT: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  RATE_LIMITED: 429,
  INTERNAL_SERVER_ERROR: 500,
  SERVICE_UNAVAILABLE: 503,
} as const;
export type ErrorCode = keyof typeof ERROR_STATUS;

/**
 * The base of every error that is meant to be seen.
 * `message` is public; `detail` is for the log alone.
 */
export class SwitchboardError extends Error {
  readonly status: number;

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly detail?: string,
  ) {
    super(message);
    this.name = 'SwitchboardError';
    this.status = ERROR_STATUS[code];
  }
}
