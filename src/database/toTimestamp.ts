const FIRST = new Date('0001-01-01T00:00:00Z');

/** Limits a time to what Postgres accepts as text, which is year 1 and later. No data of ours is older. */
export function toTimestamp(time: Date): Date {
  return time < FIRST ? FIRST : time;
}
