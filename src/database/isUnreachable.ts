/** The way to Postgres is broken, or Postgres says so itself (classes 08 and 57P, and 53300: too many connections). */
const CODES = /^(57P0[123]|08\w{3}|53300|ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/;
const MESSAGES = /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/;

/** Whether an error means that the database can't be reached at the moment, rather than that we asked it something wrong. */
export function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, severity } = error as Error & { code?: unknown; severity?: unknown };
  // FATAL is how Postgres ends or refuses a connection.
  if (severity === 'FATAL' || CODES.test(String(code)) || MESSAGES.test(error.message)) return true;
  return error instanceof AggregateError ? error.errors.some(isUnreachable) : isUnreachable(error.cause);
}
