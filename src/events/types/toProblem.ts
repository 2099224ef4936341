import type { ErrorObject } from 'ajv';
import type { Problem } from '../../domain/InputError.js';
import { describeChoice } from './describeChoice.js';

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

/** Turns what ajv reports (with `verbose`, so that the value is there) into something a publisher can act on. */
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

/** RFC 6901, section 4. */
function parsePointer(pointer: string): string[] {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Cut off, because an unknown field's name can be as long as a caller likes. */
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
  // "A whole number, not a number" would puzzle whoever sent 1.5.
  if (typeof value === 'number' && !Number.isInteger(value)) return 'a number with a fraction';
  return kindName(typeof value);
}
