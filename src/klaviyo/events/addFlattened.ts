import type { PropertyBag } from './propertyBag.js';
import { propertyName } from './propertyName.js';

export type FlattenLimits = {
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
