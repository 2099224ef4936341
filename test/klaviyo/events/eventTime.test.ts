import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventTime } from '../../../src/klaviyo/events/toKlaviyoEvent.js';
import { attributesOf, CREATED_AT, parcelData } from './fixtures.js';

describe('The time of a Klaviyo event', () => {
  it.each([
    ['2026-01-15T10:30:00Z', '2026-01-15T10:30:00Z'],
    ['2026-01-15T10:30:00+01:00', '2026-01-15T09:30:00Z'],
    ['2026-01-15t10:30:00.250z', '2026-01-15T10:30:00.250Z'],
    ['2026-01-15T10:30:00.123456789-05:00', '2026-01-15T15:30:00.123Z'],
  ])('is when it happened, in UTC: %s is %s', (timestamp, time) => {
    expect(attributesOf({ data: parcelData({ timestamp }) }).time).toBe(time);
  });

  it.each([
    ['before 2000', '1970-01-01T00:00:00Z'],
    ['more than a year ahead', '2027-03-10T19:45:00Z'],
    ['no time at all', 'soon'],
    ['missing', undefined],
  ])('is when it was published, if the data’s time is %s', (_why, timestamp) => {
    expect(attributesOf({ data: parcelData({ timestamp }) }).time).toBe('2026-03-09T19:45:00Z');
  });

  it('is always one that Klaviyo accepts', () => {
    const max = CREATED_AT.getTime() + 365 * 24 * 60 * 60 * 1000;
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
        ),
        (text) => {
          const time = Date.parse(eventTime(text, CREATED_AT));
          expect(time).toBeGreaterThan(Date.parse('2000-01-01T00:00:00Z'));
          expect(time).toBeLessThanOrEqual(max);
        },
      ),
    );
  });
});
