import { describe, expect, it } from 'vitest';
import { parseDuration, parseDurationList } from '../../src/domain/duration.js';

describe('parseDuration', () => {
  it.each([
    ['250ms', 250],
    ['5s', 5_000],
    ['30m', 1_800_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    [' 0s ', 0],
  ])('reads %j', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', '5', 's', '5 s', '-5s', '1.5s', '5S', '5w', '5s5m', '1e3s'])('refuses %j and says what is expected', (text) => {
    expect(() => parseDuration(text)).toThrow(
      `"${text}" is not a duration: it must be a whole number and a unit (ms, s, m, h, d), such as 5s`,
    );
  });

  it('refuses more than a year', () => {
    expect(parseDuration('365d')).toBe(31_536_000_000);
    expect(() => parseDuration('366d')).toThrow('"366d" is too long');
  });
});

describe('parseDurationList', () => {
  it('reads the usual retry delays', () => {
    expect(parseDurationList('5s,5m, 30m,2h,5h')).toEqual([5_000, 300_000, 1_800_000, 7_200_000, 18_000_000]);
  });

  it('reads an empty text as no retries', () => {
    expect(parseDurationList('')).toEqual([]);
  });

  it('names the entry that is wrong', () => {
    expect(() => parseDurationList('5s,,5m')).toThrow('"" is not a duration');
    expect(() => parseDurationList('5s,soon')).toThrow('"soon" is not a duration');
  });
});
