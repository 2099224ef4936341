import type { KlaviyoPropertyValue } from './klaviyoEvent.js';
import { limitBytes } from './limitBytes.js';

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
