import type { KlaviyoPropertyValue } from './KlaviyoEvent.js';

/** Klaviyo refuses an event with more properties. */
const MAX_PROPERTIES = 300;
/** Bytes of UTF-8. Klaviyo refuses an event with a longer text. It documents 100 KB, read as the smaller of its two meanings. */
const MAX_TEXT_BYTES = 100_000;
/** Klaviyo refuses a body above 5 MB. The rest of the body needs a few hundred bytes. */
const MAX_TOTAL_BYTES = 4_500_000;
/** Maximum bytes of one UTF-16 unit in JSON, as `\uXXXX`. */
const MAX_BYTES_PER_UNIT = 6;

/** Collects an event's properties within Klaviyo's limits, so that mappings need not know the limits. */
export interface PropertyBag {
  readonly properties: Record<string, KlaviyoPropertyValue>;
  /**
   * Adds a property. Ignores null, undefined, empty text, numbers that JSON does not have, objects and lists, values beyond the
   * limits, and a name that already exists. Cuts text that is too long.
   */
  add(name: string, value: unknown): void;
}

export function createPropertyBag(): PropertyBag {
  // A plain object is safe here: names consist of letters and digits (see propertyName), so none is `__proto__`.
  const properties: Record<string, KlaviyoPropertyValue> = {};
  let count = 0;
  let bytes = 0;
  return {
    properties,
    add(name, value) {
      const accepted = acceptable(value);
      if (accepted === undefined || name === '' || count >= MAX_PROPERTIES || Object.hasOwn(properties, name)) return;
      const units = name.length + (typeof accepted === 'string' ? accepted.length : 24) + 6;
      if (bytes + units * MAX_BYTES_PER_UNIT > MAX_TOTAL_BYTES) return;
      bytes += units * MAX_BYTES_PER_UNIT;
      count += 1;
      properties[name] = accepted;
    },
  };
}

function acceptable(value: unknown): KlaviyoPropertyValue | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string') return undefined;
  // Half a surrogate pair is valid in JSON, but many parsers refuse the whole body because of it.
  const text = limitBytes(value.trim().toWellFormed(), MAX_TEXT_BYTES);
  return text === '' ? undefined : text;
}

type FlattenLimits = {
  /** Maximum depth of nested objects: 1 adds only the fields of `source` itself. */
  depth: number;
  /** Maximum number of fields that are examined in each object. */
  fields: number;
};

/**
 * Adds the fields of an object of any shape, each under a name made from its path. A list of plain values becomes one text
 * separated by commas, which Klaviyo's filter "contains" can search. Lists of objects and deeper levels are left out.
 */
export function addFlattened(
  bag: PropertyBag,
  source: object,
  prefix: readonly string[],
  { depth, fields }: FlattenLimits,
): void {
  for (const [key, value] of Object.entries(source).slice(0, fields)) {
    const path = [...prefix, key];
    if (Array.isArray(value)) {
      if (value.every(isPlain)) bag.add(propertyName(path), value.join(', '));
    } else if (value !== null && typeof value === 'object') {
      if (depth > 1) addFlattened(bag, value, path, { depth: depth - 1, fields });
    } else {
      bag.add(propertyName(path), value);
    }
  }
}

function isPlain(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

const MAX_LENGTH = 100;

/**
 * Converts a path to a property name: `['connection', 'status_reason']` to `ConnectionStatusReason`. It has letters and digits
 * only, so that a Klaviyo template can write `{{ event.ConnectionStatusReason }}`, and no `$`, which begins Klaviyo's reserved
 * names. Empty when no letter or digit is left.
 */
export function propertyName(path: readonly string[]): string {
  const name = path
    .flatMap((key) => key.slice(0, MAX_LENGTH).split(/[^\p{L}\p{N}]+/u))
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
  return name.slice(0, MAX_LENGTH).toWellFormed();
}

const WORDS: Readonly<Record<string, string>> = { pup: 'Pickup Point' };

/** Converts `in_transit` to `In Transit`, and `connections.disabled` to `Connections Disabled`. */
export function readableName(code: string): string {
  return code
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
    .map((word) => (Object.hasOwn(WORDS, word) ? WORDS[word] : word.charAt(0).toUpperCase() + word.slice(1)))
    .join(' ');
}

const encoder = new TextEncoder();

/** Returns the longest prefix of a text that takes at most `maxBytes` bytes in UTF-8, without half characters. */
export function limitBytes(text: string, maxBytes: number): string {
  // A UTF-16 unit takes at most three bytes, so for most texts the length is enough.
  if (text.length * 3 <= maxBytes) return text;
  return text.slice(0, encoder.encodeInto(text, new Uint8Array(maxBytes)).read);
}
