/** Klaviyo takes times after 2000. */
const EARLIEST = Date.parse('2000-01-02T00:00:00Z');
/** And at most a year ahead. Milliseconds. */
const FURTHEST_AHEAD = 365 * 24 * 60 * 60 * 1000;

/**
 * The `time` of a Klaviyo event, in UTC: when it happened, or when it was published if that is unknown or a time that Klaviyo
 * would refuse the event for (a carrier's clock, a date of 1970). A year ahead is counted from publishing, which is earlier
 * than sending, and keeps the answer the same for every retry.
 */
export function eventTime(occurredAt: unknown, createdAt: Date): string {
  const time = typeof occurredAt === 'string' ? Date.parse(occurredAt) : Number.NaN;
  const usable = time >= EARLIEST && time <= createdAt.getTime() + FURTHEST_AHEAD;
  return (usable ? new Date(time) : createdAt).toISOString().replace('.000Z', 'Z');
}
