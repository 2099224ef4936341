/** What we need of a log: pino's shape, fields first. No token, code, state, verifier, secret or personal data ever goes in. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
