const FIRST = new Date('0001-01-01T00:00:00Z');

/** A time as Postgres can take it in text, where no year comes before 1. Nothing of ours is that old anyway. */
export function toTimestamp(time: Date): Date {
  return time < FIRST ? FIRST : time;
}
