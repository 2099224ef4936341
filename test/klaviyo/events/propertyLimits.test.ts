import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPropertyBag, limitBytes, propertyName } from '../../../src/klaviyo/events/propertyBag.js';
import { attributesOf, parcelData } from './fixtures.js';

const bytes = (text: string) => Buffer.byteLength(text);

describe('Klaviyo’s limits', () => {
  it('at most 300 properties', () => {
    const data = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`field${index}`, index]));
    expect(Object.keys(attributesOf({ eventType: 'orders.created', data }).properties)).toHaveLength(300);
  });

  it('at most 100 KB for a text, never half a character', () => {
    const { Description } = attributesOf({ data: parcelData({ description: `x${'📦'.repeat(50_000)}` }) }).properties;
    expect(bytes(String(Description))).toBe(99_997);
    expect(String(Description).isWellFormed()).toBe(true);
  });

  it('at most 5 MB for the whole body, even when every character has to be escaped', () => {
    const data = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`field${index}`, '\u0001'.repeat(90_000)]));
    const body = JSON.stringify(attributesOf({ eventType: 'orders.created', data }));
    expect(bytes(body)).toBeLessThan(5_000_000);
    expect(bytes(body)).toBeGreaterThan(3_000_000);
  });

  it('no nulls, no empty texts, no numbers that JSON lacks, no half surrogates', () => {
    const bag = createPropertyBag();
    for (const value of [null, undefined, '', '  ', Number.NaN, Number.POSITIVE_INFINITY, {}, []]) bag.add('Nothing', value);
    bag.add('Broken', 'a\ud83d');
    expect(bag.properties).toEqual({ Broken: 'a\ufffd' });
  });

  it('the first of two properties with one name stays', () => {
    const bag = createPropertyBag();
    bag.add('Phase', 'delivered');
    bag.add('Phase', 'sorted');
    expect(bag.properties).toEqual({ Phase: 'delivered' });
  });
});

describe('A property name', () => {
  it.each([
    [['connection', 'status_reason'], 'ConnectionStatusReason'],
    [['$value'], 'Value'],
    [['__proto__'], 'Proto'],
    [['Extra', 'estimatedDelivery'], 'ExtraEstimatedDelivery'],
    [['Extra', 'größe (cm)'], 'ExtraGrößeCm'],
    [['$$'], ''],
  ])('of %j is "%s"', (path, name) => expect(propertyName(path)).toBe(name));

  it('is never longer than 100 characters', () => {
    expect(propertyName(['a'.repeat(500), 'b'.repeat(500)]).length).toBe(100);
  });
});

describe('A text that is cut', () => {
  it('is the longest prefix that fits', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 0, max: 40 }), (text, max) => {
        const cut = limitBytes(text, max);
        expect(text.startsWith(cut)).toBe(true);
        expect(bytes(cut)).toBeLessThanOrEqual(max);
        if (cut !== text) expect(bytes(cut)).toBeGreaterThan(max - 4);
      }),
    );
  });
});
