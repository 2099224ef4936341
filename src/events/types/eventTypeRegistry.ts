import type { ErrorObject } from 'ajv';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { Problem } from '../../domain/errors.js';

/** A JSON schema of draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** An event type that subscriptions can name. */
export type EventTypeDefinition<Data extends Record<string, unknown> = Record<string, unknown>> = {
  /** Dotted and lower case, such as `parcels.event.created`. Never rename it: it is stored with events and subscriptions. */
  readonly name: string;
  /** Text for a person who decides whether to subscribe. */
  readonly description: string;
  /** Schema of `data` in the body `{ event_type, data }` that a webhook receives. */
  readonly schema: JsonSchema;
  /** `data` of a realistic event. Test broadcasts send it, so it must satisfy `schema`. */
  readonly sample: Data;
  /** True when only the server itself publishes it. Any connection may subscribe to it. */
  readonly internal?: boolean;
};

/** More problems would not help a caller, and would make the response to a bad call huge. */
const MAX_PROBLEMS = 20;

const NAME = /^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/;

/** The event types that exist, and the validation of their data. */
export interface EventTypeRegistry {
  /** Returns all event types, including internal ones, in the order of their definitions. */
  list(): readonly EventTypeDefinition[];
  get(name: string): EventTypeDefinition | undefined;
  /**
   * Returns the problems of an event's data, at most 20; empty when the data is valid.
   * @throws RangeError for a name that is not in the registry. Call `get` first.
   */
  validate(name: string, data: unknown): Problem[];
}

/** @throws Error when two definitions share a name, or a name is not dotted lower case. */
export function createEventTypeRegistry(definitions: readonly EventTypeDefinition[]): EventTypeRegistry {
  const byName = new Map<string, EventTypeDefinition>();
  for (const definition of definitions) {
    if (!NAME.test(definition.name))
      throw new Error(`Event type "${definition.name}" must be named like "parcels.event.created".`);
    if (byName.has(definition.name)) throw new Error(`Event type "${definition.name}" is defined twice.`);
    byName.set(definition.name, definition);
  }
  const all = Object.freeze([...byName.values()]);

  // Compiling takes milliseconds and validating takes microseconds, so each schema is compiled at its first use and kept.
  const compile = createSchemaCompiler();
  const compiled = new Map<string, ValidateFunction>();
  const validatorOf = (name: string): ValidateFunction => {
    const known = compiled.get(name);
    if (known) return known;
    const definition = byName.get(name);
    if (!definition) throw new RangeError(`There is no event type "${name}".`);
    const validator = compile(definition.schema);
    compiled.set(name, validator);
    return validator;
  };

  return {
    list: () => all,
    get: (name) => byName.get(name),
    validate(name, data) {
      const validator = validatorOf(name);
      if (validator(data)) return [];
      return (validator.errors ?? []).slice(0, MAX_PROBLEMS).map(toProblem);
    },
  };
}

/**
 * Returns a function that compiles JSON schemas of draft 2020-12. Validation collects all errors, not only the first. An unknown
 * keyword or format in the schema is an error at compile time.
 */
function createSchemaCompiler(): (schema: JsonSchema) => ValidateFunction {
  // `verbose` adds the invalid value to each error, because the messages need it. It costs nothing for valid data.
  const ajv = new Ajv2020({ allErrors: true, verbose: true, strict: true, allowUnionTypes: true });
  formats.default(ajv);
  ajv.addFormat('date-time', { type: 'string', validate: isDateTime });
  return (schema) => ajv.compile(schema);
}

const DATE_TIME = /^(\d{4})-(\d\d)-(\d\d)t(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:z|[+-](\d\d):(\d\d))$/i;

/**
 * Returns whether a text is a `date-time` of RFC 3339 section 5.6, on a day that exists.
 *
 * Stricter than ajv-formats, which also accepts a space instead of the `T`, and offsets such as `+01`. Receivers get the text as
 * it was published, and their parsers are often strict.
 */
export function isDateTime(text: string): boolean {
  // A longer text could only have more fraction digits.
  if (text.length > 64) return false;
  const match = DATE_TIME.exec(text);
  if (!match) return false;
  const [year, month, day, hour, minute, second, offsetHour, offsetMinute] = match
    .slice(1)
    .map((digits) => Number(digits ?? 0)) as [number, number, number, number, number, number, number, number];
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return false;
  if (hour > 23 || minute > 59 || offsetHour > 23 || offsetMinute > 59) return false;
  // RFC 3339 allows second 60, but no common date library does, so leap seconds are refused.
  return second <= 59;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

const KINDS: Record<string, string> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
  null: 'null',
};

const FORMATS: Record<string, string> = {
  'date-time': 'a date and time with an offset from UTC, such as 2026-01-15T10:30:00Z',
  date: 'a date, such as 2026-01-15',
  email: 'an e-mail address',
  uri: 'an absolute URL',
  uuid: 'a UUID',
};

/** Converts an error of ajv to a problem that a publisher can act on. Needs the option `verbose` for the value. */
export function toProblem(error: ErrorObject): Problem {
  const path = parsePointer(error.instancePath);
  const name = nameOf(path);
  const { params } = error;
  switch (error.keyword) {
    case 'required':
    case 'dependentRequired': {
      const missing = [...path, String(params.missingProperty)];
      return { code: 'REQUIRED', message: `${nameOf(missing)} is required.`, path: missing };
    }
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const unknown = [...path, String(params.additionalProperty ?? params.unevaluatedProperty)];
      return { code: 'UNKNOWN_FIELD', message: `${nameOf(unknown)} is not a known field.`, path: unknown };
    }
    case 'enum':
      return {
        code: 'INVALID_CHOICE',
        message: `${name} ${describeChoice(params.allowedValues as unknown[], error.data)}`,
        path,
      };
    case 'const':
      return { code: 'INVALID_CHOICE', message: `${name} ${describeChoice([params.allowedValue], error.data)}`, path };
    case 'type': {
      const wanted = [params.type as string | string[]].flat();
      const code = wanted.includes('array') ? 'NOT_A_LIST' : 'INVALID';
      return { code, message: `${name} must be ${wanted.map(kindName).join(' or ')}, not ${kindOf(error.data)}.`, path };
    }
    case 'minimum':
      return { code: 'MIN_VALUE', message: `${name} must be at least ${params.limit}.`, path };
    case 'exclusiveMinimum':
      return { code: 'MIN_VALUE', message: `${name} must be more than ${params.limit}.`, path };
    case 'format': {
      const format = String(params.format);
      return { code: 'INVALID', message: `${name} must be ${FORMATS[format] ?? `in the format ${format}`}.`, path };
    }
    default:
      return { code: 'INVALID', message: `${name} ${error.message ?? 'is not valid'}.`, path };
  }
}

/** Parses a JSON pointer (RFC 6901, section 4). */
function parsePointer(pointer: string): string[] {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Names a field, shortened because an unknown field's name can have any length. */
function nameOf(path: string[]): string {
  const name = path.join('.') || 'data';
  return name.length > 120 ? `${name.slice(0, 119)}…` : name;
}

function kindName(type: string): string {
  return KINDS[type] ?? type;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  // For 1.5, "A whole number, not a number" would be confusing.
  if (typeof value === 'number' && !Number.isInteger(value)) return 'a number with a fraction';
  return kindName(typeof value);
}

/** Maximum number of values that a message lists. Longer lists are in the event type's schema. */
const FEW = 20;

/**
 * Returns the end of a sentence that begins with a field's name: the allowed values. It does not repeat the given value, which
 * may be a secret.
 */
function describeChoice(allowed: readonly unknown[], given: unknown): string {
  const closest = typeof given === 'string' ? closestChoice(given, allowed) : undefined;
  const hint = closest === undefined ? '' : ` Did you mean "${closest}"?`;
  if (allowed.length === 1) return `must be ${allowed[0]}.${hint}`;
  if (allowed.length <= FEW) return `must be one of ${allowed.join(', ')}.${hint}`;
  return `must be one of the ${allowed.length} values that the event type's schema lists.${hint}`;
}

/** Returns the allowed value that the given text most likely means (a typo or another spelling); undefined when none is close. */
function closestChoice(given: string, allowed: readonly unknown[]): string | undefined {
  // The edit distance takes time proportional to the product of the lengths, and `given` comes from the caller.
  if (given.length > 64) return undefined;
  const wanted = normalize(given);
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const choice of allowed) {
    if (typeof choice !== 'string') continue;
    const distance = editDistance(wanted, normalize(choice));
    if (distance < bestDistance) {
      best = choice;
      bestDistance = distance;
    }
  }
  return best;
}

/** Maps `In-Transit`, `IN TRANSIT` and `in_transit` to the same text. */
function normalize(text: string): string {
  return text.toLowerCase().replaceAll(/[\s-]+/g, '_');
}

/** Returns the Levenshtein distance: the fewest insertions, deletions and replacements of a character. */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (previous[column - 1] as number) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] as number) + 1, (current[column - 1] as number) + 1));
    }
    previous = current;
  }
  return previous[b.length] as number;
}
