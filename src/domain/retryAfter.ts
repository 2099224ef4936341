const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const TIME = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)`;

/** RFC 9110, 5.6.7: the current form, and the two obsolete ones that must be accepted. */
const DATE_FORMS = [
  new RegExp(String.raw`^[a-z]{3}, (?<day>\d\d) (?<month>[a-z]{3}) (?<year>\d{4}) ${TIME} gmt$`),
  new RegExp(String.raw`^[a-z]{6,9}, (?<day>\d\d)-(?<month>[a-z]{3})-(?<year>\d\d) ${TIME} gmt$`),
  new RegExp(String.raw`^[a-z]{3} (?<month>[a-z]{3}) (?<day>[ \d]\d) ${TIME} (?<year>\d{4})$`),
];

/**
 * Parses Retry-After (RFC 9110, 10.2.3): seconds, or a date. Header names match in any case.
 *
 * @param nowMs milliseconds since 1970.
 * @param capMs maximum; longer waits are reduced to it.
 * @returns milliseconds to wait, between 0 and the cap; null when the header is absent, is neither a number of seconds nor a
 * date, or names a time in the past.
 */
export function parseRetryAfter(headers: HeaderFields, nowMs: number, capMs: number): number | null {
  const value = headerValue(headers, 'retry-after')?.trim();
  if (!value) return null;
  // Date.parse does not work here: it accepts "-5" and "1.5" as dates, and reads the asctime form as local time.
  const wait = /^\d+$/.test(value) ? Number(value) * 1_000 : parseHttpDate(value, nowMs) - nowMs;
  return wait >= 0 ? Math.min(wait, capMs) : null;
}

/** Headers by name, in any case. */
type HeaderFields = Readonly<Record<string, string | readonly string[] | undefined>>;

function headerValue(headers: HeaderFields, wanted: string): string | undefined {
  const name = wanted in headers ? wanted : Object.keys(headers).find((key) => key.toLowerCase() === wanted);
  const value = name === undefined ? undefined : headers[name];
  return typeof value === 'object' ? value[0] : value;
}

/**
 * Parses an HTTP-date.
 * @returns milliseconds since 1970, or NaN.
 */
function parseHttpDate(text: string, nowMs: number): number {
  const lower = text.toLowerCase();
  for (const form of DATE_FORMS) {
    const parts = form.exec(lower)?.groups;
    if (!parts) continue;
    const month = MONTHS.indexOf(parts.month ?? '');
    if (month < 0) return Number.NaN;
    const [day, hour, minute, second] = [parts.day, parts.hour, parts.minute, parts.second].map(Number) as [
      number,
      number,
      number,
      number,
    ];
    return Date.UTC(fullYear(parts.year ?? '', nowMs), month, day, hour, minute, second);
  }
  return Number.NaN;
}

/**
 * Completes a two-digit year: one more than 50 years in the future means the past year with the same digits (RFC 9110, 5.6.7).
 */
function fullYear(digits: string, nowMs: number): number {
  if (digits.length === 4) return Number(digits);
  const now = new Date(nowMs).getUTCFullYear();
  const year = now - (now % 100) + Number(digits);
  return year > now + 50 ? year - 100 : year;
}
