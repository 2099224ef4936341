const DATE_TIME = /^(\d{4})-(\d\d)-(\d\d)t(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:z|[+-](\d\d):(\d\d))$/i;

/**
 * Whether a text is a `date-time` of RFC 3339 section 5.6, on a day that exists.
 *
 * Stricter than ajv-formats, which also takes a space for the `T` and offsets such as `+01`: receivers get the text as it
 * was published, and their parsers are often strict.
 */
export function isDateTime(text: string): boolean {
  // Longer ones would be all fraction digits.
  if (text.length > 64) return false;
  const match = DATE_TIME.exec(text);
  if (!match) return false;
  const [year, month, day, hour, minute, second, offsetHour, offsetMinute] = match
    .slice(1)
    .map((digits) => Number(digits ?? 0)) as [number, number, number, number, number, number, number, number];
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return false;
  if (hour > 23 || minute > 59 || offsetHour > 23 || offsetMinute > 59) return false;
  // RFC 3339 has a second 60, but no common date library of a receiver has: leap seconds are refused.
  return second <= 59;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
