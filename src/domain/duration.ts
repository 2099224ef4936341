const MS_PER_UNIT = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const FORM = /^(\d{1,12})(ms|s|m|h|d)$/;
export const HOUR_MS = MS_PER_UNIT.h;
export const DAY_MS = MS_PER_UNIT.d;

const MAX_MS = 365 * MS_PER_UNIT.d;

/**
 * Parses a duration such as `250ms`, `5s`, `30m`, `2h` or `1d`.
 * @returns milliseconds.
 * @throws RangeError that quotes the text and says what is expected.
 */
export function parseDuration(text: string): number {
  const [, digits, unit] = FORM.exec(text.trim()) ?? [];
  if (digits === undefined || unit === undefined) {
    throw new RangeError(`"${text}" is not a duration: it must be a whole number and a unit (ms, s, m, h, d), such as 5s`);
  }
  const ms = Number(digits) * MS_PER_UNIT[unit as keyof typeof MS_PER_UNIT];
  if (ms > MAX_MS) throw new RangeError(`"${text}" is too long: a duration is at most 365d`);
  return ms;
}

/**
 * Parses a comma-separated list of durations, such as `5s,5m,30m,2h,5h`. An empty text gives an empty list.
 * @returns milliseconds, in the same order.
 * @throws RangeError for the first item that is not a duration.
 */
export function parseDurationList(text: string): number[] {
  return text.trim() === '' ? [] : text.split(',').map(parseDuration);
}
