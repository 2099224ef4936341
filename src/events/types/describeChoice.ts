import { closestChoice } from './closestChoice.js';

/** So many values still read as a sentence; longer lists are in the event type's schema. */
const FEW = 20;

/** The end of a sentence that begins with a field's name: what it may be. What was given may be a secret, and is not repeated. */
export function describeChoice(allowed: readonly unknown[], given: unknown): string {
  const closest = typeof given === 'string' ? closestChoice(given, allowed) : undefined;
  const hint = closest === undefined ? '' : ` Did you mean "${closest}"?`;
  if (allowed.length === 1) return `must be ${allowed[0]}.${hint}`;
  if (allowed.length <= FEW) return `must be one of ${allowed.join(', ')}.${hint}`;
  return `must be one of the ${allowed.length} values that the event type's schema lists.${hint}`;
}
