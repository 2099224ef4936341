import type { KlaviyoPropertyValue } from './toKlaviyoEvent.js';

/** Klaviyo refuses an event with more. */
const MAX_PROPERTIES = 300;
/** Klaviyo refuses an event with a longer text; it says 100 KB, taken as the smaller reading. Bytes of UTF-8. */
const MAX_TEXT_BYTES = 100_000;
/** Klaviyo refuses a body above 5 MB; the rest of it needs a few hundred bytes. */
const MAX_TOTAL_BYTES = 4_500_000;
/** One UTF-16 unit as JSON takes at most `\uXXXX`. */
const MAX_BYTES_PER_UNIT = 6;

/** Collects an event's properties within Klaviyo's limits, so that no mapping has to know them. */
export interface PropertyBag {
  readonly properties: Record<string, KlaviyoPropertyValue>;
  /**
   * Adds a property. Left out: null, undefined, empty text, numbers that JSON doesn't have, objects and lists, what goes
   * beyond the limits, and a name that is there already. Text that is too long is cut.
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
  // Half a surrogate pair is valid in JSON, but many parsers refuse the whole body for it.
  const text = limitBytes(value.trim().toWellFormed(), MAX_TEXT_BYTES);
  return text === '' ? undefined : text;
}

type FlattenLimits = {
  /** How many objects deep it looks: 1 takes the fields of `source` alone. */
  depth: number;
  /** At most so many fields of each object are looked at. */
  fields: number;
};

/**
 * Adds the fields of an object of any shape, each under a name made of its path. A list of plain values becomes one text,
 * separated by commas, which "contains" finds in Klaviyo. Lists of objects and what lies deeper is left out.
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
 * `['connection', 'status_reason']` as `ConnectionStatusReason`: letters and digits only, so that a Klaviyo template can
 * say `{{ event.ConnectionStatusReason }}`, and never a `$`, which begins the names that Klaviyo keeps to itself.
 * Empty when no letter or digit is left.
 */
export function propertyName(path: readonly string[]): string {
  const name = path
    .flatMap((key) => key.slice(0, MAX_LENGTH).split(/[^\p{L}\p{N}]+/u))
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
  return name.slice(0, MAX_LENGTH).toWellFormed();
}

const WORDS: Readonly<Record<string, string>> = { pup: 'Pickup Point' };

/** `in_transit` as `In Transit`, `connections.disabled` as `Connections Disabled`. */
export function readableName(code: string): string {
  return code
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
    .map((word) => (Object.hasOwn(WORDS, word) ? WORDS[word] : word.charAt(0).toUpperCase() + word.slice(1)))
    .join(' ');
}

const encoder = new TextEncoder();

/** The longest beginning of a text that takes at most so many bytes in UTF-8; never half a character. */
export function limitBytes(text: string, maxBytes: number): string {
  // No UTF-16 unit takes more than three bytes: nearly every text is told by its length.
  if (text.length * 3 <= maxBytes) return text;
  return text.slice(0, encoder.encodeInto(text, new Uint8Array(maxBytes)).read);
}
