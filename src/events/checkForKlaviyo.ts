import type { ProblemList } from '../domain/ProblemList.js';
import type { PublishEventInput } from './PublishEventInput.js';

/** Klaviyo takes times after 2000, and at most a year ahead. A day's margin, for clocks and time zones. */
const EARLIEST = Date.parse('2000-01-02T00:00:00Z');
const FURTHEST_AHEAD_MS = 365 * 86_400_000;

/** Klaviyo takes 300 properties of an event; the rest is for what the event's data becomes. */
const MAX_PROPERTIES = 200;
const MAX_NAME = 100;
/** Bytes of UTF-8. Klaviyo says 100 KB, taken as the smaller reading. */
const MAX_TEXT_BYTES = 100_000;
/** Bytes of all properties as JSON. */
const MAX_BYTES = 256 * 1024;

/** `$` begins the names that Klaviyo keeps to itself, `_` those that others keep to themselves. */
const NAME = /^[^\p{C}\p{Z}$_](?:[^\p{C}]*[^\p{C}\p{Z}])?$/u;

/** Checks what an event says of itself for Klaviyo alone, within Klaviyo's limits. Problems go to the list. */
export function checkForKlaviyo(input: PublishEventInput, path: readonly string[], problems: ProblemList): void {
  const { occurredAt, value, valueCurrency, properties } = input;
  if (occurredAt) {
    const time = occurredAt.getTime();
    if (!(time >= EARLIEST && time <= Date.now() + FURTHEST_AHEAD_MS)) {
      problems.add('INVALID', 'The time must be later than 2000-01-01, and at most a year ahead.', ...path, 'occurredAt');
    }
  }
  if (typeof value === 'number' && !Number.isFinite(value)) problems.add('INVALID', 'The value is no number.', ...path, 'value');
  if (typeof valueCurrency === 'string') {
    if (!/^[A-Z]{3}$/.test(valueCurrency)) {
      problems.add('INVALID', 'A currency has three capital letters (ISO 4217), such as EUR.', ...path, 'valueCurrency');
    } else if (typeof value !== 'number') {
      problems.add('REQUIRED', 'A currency goes with a value.', ...path, 'value');
    }
  }
  if (properties) checkProperties(properties, [...path, 'properties'], problems);
}

function checkProperties(properties: Readonly<Record<string, unknown>>, path: readonly string[], problems: ProblemList): void {
  const entries = Object.entries(properties);
  if (entries.length > MAX_PROPERTIES) {
    problems.add('MAX_VALUE', `An event takes at most ${MAX_PROPERTIES} properties.`, ...path);
    return;
  }
  if (Buffer.byteLength(JSON.stringify(properties)) > MAX_BYTES) {
    problems.add('INVALID', `The properties have more than ${MAX_BYTES / 1024} KiB.`, ...path);
    return;
  }
  for (const [name, property] of entries) {
    if (name.length > MAX_NAME || !NAME.test(name)) {
      const message = `A property's name has 1 to ${MAX_NAME} characters on one line, and begins neither with $, _ nor a space.`;
      problems.add('INVALID', message, ...path, name);
    } else if (typeof property === 'string') {
      if (Buffer.byteLength(property) > MAX_TEXT_BYTES || property.includes('\0')) {
        const message = `A text has at most ${MAX_TEXT_BYTES} bytes, and no null character.`;
        problems.add('INVALID', message, ...path, name);
      }
    } else if (typeof property !== 'boolean' && !(typeof property === 'number' && Number.isFinite(property))) {
      const message = 'A property is a text, a number, true or false: give the fields of an object as properties of their own.';
      problems.add('INVALID', message, ...path, name);
    }
  }
}
