import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkJson, JsonCheck } from '../../../src/http/limits/takeJson.js';

/** Returns the problem of JSON that arrives in pieces of a size, or null. */
function said(json: string, size: number): string | null {
  const check = new JsonCheck();
  const bytes = Buffer.from(json);
  try {
    for (let from = 0; from < bytes.length; from += size) check.feed(bytes.subarray(from, from + size));
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

describe('checkJson', () => {
  it('accepts JSON within the limits, wherever it is cut', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 20 }), fc.integer({ min: 1, max: 9 }), (json, size) => {
        expect(said(json, size)).toBeNull();
        expect(() => checkJson(Buffer.from(json))).not.toThrow();
      }),
    );
  });

  it('finds too much depth and length beside any strings, wherever they are cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), fc.integer({ min: 1, max: 9 }), (text, key, size) => {
        const beside = `{${JSON.stringify(key)}:${JSON.stringify(`${text}\\`)},"a":`;
        expect(said(`${beside}${'['.repeat(99)}`, size)).toBeNull();
        expect(said(`${beside}${'['.repeat(100)}`, size)).toContain('deeper than 100');
      }),
    );
    expect(said(`[${'"\\\\",'.repeat(19_999)}1]`, 7)).toBeNull();
    expect(said(`[${'"\\\\",'.repeat(20_000)}1]`, 7)).toContain('more than 20000 items');
  });
});
