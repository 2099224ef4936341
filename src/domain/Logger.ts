/**
 * The part of pino's interface that we use: fields first, then the message. Never log a token, code, state, verifier, secret or
 * personal data.
 */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
