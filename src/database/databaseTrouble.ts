/**
 * Problems of Postgres itself, as opposed to errors of a statement:
 * - `unreachable`: the network to it fails, or it is starting or stopping;
 * - `too_many_clients`: it, or a pooler before it, accepts no more connections;
 * - `busy`: every connection of our own pool was in use for too long;
 * - `full`: it has no room to store anything;
 * - `read_only`: it accepts no changes, for example as a standby.
 */
export type DatabaseTrouble = 'unreachable' | 'too_many_clients' | 'busy' | 'full' | 'read_only';

/** SQLSTATE of a full disk or quota, and Postgres's message when it cannot even create a file. */
export const DISK_FULL = '53100';

const BY_CODE: readonly (readonly [RegExp, DatabaseTrouble])[] = [
  [/^53300$/, 'too_many_clients'],
  [new RegExp(`^${DISK_FULL}$`), 'full'],
  [/^25006$/, 'read_only'],
  // Classes 08 and 57P: Postgres reports that a connection has ended or cannot be made.
  [/^(57P0[1235]|08\w{3})$/, 'unreachable'],
  [/^(ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/, 'unreachable'],
];

const BY_MESSAGE: readonly (readonly [RegExp, DatabaseTrouble])[] = [
  // PgBouncer has no SQLSTATE of its own for these.
  [/no more connections allowed|too many (clients|connections)/i, 'too_many_clients'],
  // The driver's pool has one message for a wait that was too long, and another for a server that does not respond.
  [/^timeout exceeded when trying to connect$/, 'busy'],
  [/^query_wait_timeout$/, 'busy'],
  [/Connection terminated|Client has encountered a connection error/, 'unreachable'],
];

/** Returns the database's problem that an error shows; null for other errors. */
export function databaseTrouble(error: unknown): DatabaseTrouble | null {
  if (!(error instanceof Error)) return null;
  const { code, severity } = error as Error & { code?: unknown; severity?: unknown };
  const known = BY_MESSAGE.find(([form]) => form.test(error.message)) ?? BY_CODE.find(([form]) => form.test(String(code)));
  if (known) return known[1];
  // Postgres uses FATAL when it ends or refuses a connection.
  if (severity === 'FATAL') return 'unreachable';
  if (!(error instanceof AggregateError)) return databaseTrouble(error.cause);
  return error.errors.map(databaseTrouble).find((trouble) => trouble !== null) ?? null;
}
