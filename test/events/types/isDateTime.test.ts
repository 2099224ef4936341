import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isDateTime } from '../../../src/events/types/eventTypeRegistry.js';

describe('A date-time (RFC 3339, section 5.6)', () => {
  it.each([
    '2026-01-15T10:30:00Z',
    '2026-01-15t10:30:00z',
    '2026-01-15T10:30:00.123456789Z',
    '2026-01-15T10:30:00+05:30',
    '2026-01-15T10:30:00-00:00',
    '2024-02-29T23:59:59Z',
    '2000-02-29T00:00:00Z',
  ])('%s is valid', (text) => expect(isDateTime(text)).toBe(true));

  it.each([
    ['no offset', '2026-01-15T10:30:00'],
    ['no seconds', '2026-01-15T10:30Z'],
    ['a space for the T', '2026-01-15 10:30:00Z'],
    ['an offset without minutes', '2026-01-15T10:30:00+01'],
    ['an offset without a colon', '2026-01-15T10:30:00+0100'],
    ['a day that is not there', '2026-02-29T10:30:00Z'],
    ['a day that is not there in a centennial year', '1900-02-29T10:30:00Z'],
    ['April the 31st', '2026-04-31T10:30:00Z'],
    ['month 13', '2026-13-01T10:30:00Z'],
    ['hour 24', '2026-01-15T24:00:00Z'],
    ['a leap second, which hardly a receiver can read', '2016-12-31T23:59:60Z'],
    ['something after it', '2026-01-15T10:30:00Z\n'],
    ['seconds since 1970', '1768473000'],
    ['nothing', ''],
    ['endless fraction digits', `2026-01-15T10:30:00.${'0'.repeat(100)}Z`],
  ])('with %s it is invalid', (_why, text) => expect(isDateTime(text)).toBe(false));

  it('every instant that JavaScript writes in four-digit years is valid, and can be parsed again', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('0000-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }),
        (date) => {
          expect(isDateTime(date.toISOString())).toBe(true);
        },
      ),
    );
  });

  it('every valid one can be parsed by JavaScript', () => {
    const two = (max: number) => fc.integer({ min: 0, max }).map((number) => String(number).padStart(2, '0'));
    fc.assert(
      fc.property(two(14), two(33), two(25), two(61), two(61), (month, day, hour, minute, second) => {
        const text = `2026-${month}-${day}T${hour}:${minute}:${second}Z`;
        expect(isDateTime(text)).toBe(
          !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().slice(0, 19) === text.slice(0, 19),
        );
      }),
      { numRuns: 1000 },
    );
  });
});
