import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProblemList } from '../../src/domain/errors.js';
import { contentOf } from '../../src/events/insertEvents.js';
import { checkForKlaviyo } from '../../src/events/publishEvents.js';
import { attributesOf } from '../klaviyo/events/fixtures.js';

const refused = (properties: Record<string, unknown>): boolean => {
  const problems = new ProblemList();
  checkForKlaviyo({ eventType: 'orders.created', data: {}, properties }, [], problems);
  try {
    problems.throwIfAny();
    return false;
  } catch {
    return true;
  }
};

describe('Accepted properties', () => {
  it('arrive in Klaviyo unchanged, within its limits; others are refused', () => {
    const name = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 110 }),
      fc.constantFrom('__proto__', 'constructor', 'Phase', 'é'),
    );
    const value = fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.string({ unit: 'grapheme' }), fc.double());
    fc.assert(
      fc.property(fc.dictionary(name, value, { noNullPrototype: true, maxKeys: 220 }), (properties) => {
        if (refused(properties)) return;
        const { properties: arrived } = attributesOf({ eventType: 'orders.created', data: {}, properties });
        expect(Object.keys(arrived).length).toBeLessThanOrEqual(200);
        for (const [key, property] of Object.entries(properties)) {
          // Every object inherits names such as `constructor`, so only own properties count.
          const value = Object.hasOwn(arrived, key) ? arrived[key] : undefined;
          // An empty text is left out.
          if (typeof property === 'string') expect(value ?? '').toBe(property.trim().toWellFormed());
          else expect(value).toBe(property);
          expect(key).toMatch(/^[^$_\s][^\n\0]{0,99}$/u);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('can be as many and as long as Klaviyo allows besides those of the data', () => {
    const many = (count: number, value: unknown) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, value]));
    expect(refused(many(200, 1))).toBe(false);
    expect(refused(many(201, 1))).toBe(true);
    expect(refused(many(2, 'x'.repeat(100_000)))).toBe(false);
    expect(refused(many(3, 'x'.repeat(100_000)))).toBe(true);
    expect(refused({ p: 'x'.repeat(100_001) })).toBe(true);
    expect(refused(JSON.parse('{ "__proto__": 1 }'))).toBe(true);
  });
});

describe('The content of an event without them', () => {
  it('is the same text as in versions without properties, so that its fingerprint is the same', () => {
    const event = { eventType: 'a.b', data: { b: 1, a: 2 }, recipient: null };
    const absent = { occurredAt: null, value: null, valueCurrency: undefined, properties: null };
    expect(contentOf({ ...event, ...absent })).toBe('["a.b",{"a":2,"b":1},null]');
    expect(contentOf({ ...event, value: 0 })).toBe('["a.b",{"a":2,"b":1},null,{"value":0}]');
  });
});
