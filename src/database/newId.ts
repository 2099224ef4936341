import { v7 } from 'uuid';

/** Returns a UUID version 7 (RFC 9562 5.7): unique without the database, and ordered by time to the millisecond. */
export function newId(): string {
  return v7();
}
