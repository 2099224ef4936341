import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRetryAfter } from '../../src/domain/retryAfter.js';

const NOW = Date.UTC(2026, 0, 15, 12, 0, 0);
const CAP = 3_600_000;
const parse = (value: string) => parseRetryAfter({ 'retry-after': value }, NOW, CAP);

describe('parseRetryAfter', () => {
  it.each([
    ['0', 0],
    ['7', 7_000],
    [' 7 ', 7_000],
    ['3600', CAP],
    ['86400', CAP],
    ['9'.repeat(400), CAP],
    ['Thu, 15 Jan 2026 12:00:30 GMT', 30_000],
    ['Thursday, 15-Jan-26 12:00:30 GMT', 30_000],
    ['Thu Jan 15 12:00:30 2026', 30_000],
    ['thu, 15 jan 2026 12:00:30 gmt', 30_000],
    ['Fri, 16 Jan 2026 12:00:00 GMT', CAP],
    ['Thu, 15 Jan 2026 12:00:00 GMT', 0],
  ])('reads %j', (value, expected) => {
    expect(parse(value)).toBe(expected);
  });

  it.each([
    '',
    ' ',
    '-5',
    '+5',
    '1.5',
    '1e3',
    '0x10',
    '5s',
    '5, 6',
    'soon',
    'NaN',
    'Infinity',
    'Thu, 15 Jan 2026 11:59:59 GMT',
    'Thu, 15 Foo 2026 12:00:30 GMT',
    'Thu, 15 Jan 2026 12:00:30',
    '2026-01-15T12:00:30Z',
    'Thursday, 15-Jan-94 12:00:30 GMT',
  ])('ignores %j', (value) => {
    expect(parse(value)).toBeNull();
  });

  it('reads the asctime form with a day of one digit', () => {
    const now = Date.UTC(1994, 10, 6, 8, 49, 0);
    expect(parseRetryAfter({ 'retry-after': 'Sun Nov  6 08:49:37 1994' }, now, CAP)).toBe(37_000);
  });

  it.each(['retry-after', 'Retry-After', 'RETRY-AFTER'])('finds the header as %s', (name) => {
    expect(parseRetryAfter({ 'content-type': 'text/plain', [name]: '7' }, NOW, CAP)).toBe(7_000);
  });

  it('uses the first of several values, and returns null for none', () => {
    expect(parseRetryAfter({ 'retry-after': ['7', '9'] }, NOW, CAP)).toBe(7_000);
    expect(parseRetryAfter({ 'retry-after': [] }, NOW, CAP)).toBeNull();
    expect(parseRetryAfter({ 'retry-after': undefined }, NOW, CAP)).toBeNull();
    expect(parseRetryAfter({}, NOW, CAP)).toBeNull();
  });

  it('reads a number as seconds', () => {
    fc.assert(fc.property(fc.nat(3_600), (seconds) => parse(String(seconds)) === seconds * 1_000));
  });

  it('reads every date that HTTP can express', () => {
    fc.assert(fc.property(fc.nat(3_600), (seconds) => parse(new Date(NOW + seconds * 1_000).toUTCString()) === seconds * 1_000));
  });

  it('returns null or a number from 0 to the cap for any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.double().map(String),
          fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
        ),
        (value) => {
          const wait = parse(value);
          return wait === null || (wait >= 0 && wait <= CAP);
        },
      ),
    );
  });
});
