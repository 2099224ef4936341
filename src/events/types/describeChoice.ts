import { closestChoice } from './closestChoice.js';

/** So many values still read as a sentence; longer lists are in the event type's schema. */
const FEW = 20;
const QUOTED_LENGTH = 40;

/** The end of a sentence that begins with a field's name: what it may be, and that the given value isn't it. */
export function describeChoice(allowed: readonly unknown[], given: unknown): string {
  const refused = typeof given === 'string' ? `"${shorten(given)}"` : shorten(JSON.stringify(given) ?? String(given));
  const closest = typeof given === 'string' ? closestChoice(given, allowed) : undefined;
  const hint = closest === undefined ? '' : ` Did you mean "${closest}"?`;
  if (allowed.length === 1) return `must be ${allowed[0]}, not ${refused}.${hint}`;
  if (allowed.length <= FEW) return `must be one of ${allowed.join(', ')}, not ${refused}.${hint}`;
  return `can't be ${refused}: it is not among the ${allowed.length} values that the event type's schema lists.${hint}`;
}

function shorten(text: string): string {
  return text.length > QUOTED_LENGTH ? `${text.slice(0, QUOTED_LENGTH - 1)}…` : text;
}
