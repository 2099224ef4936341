import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { JsonSchema } from './eventTypeDefinition.js';
import { isDateTime } from './isDateTime.js';

/**
 * Makes a function that compiles JSON schemas of draft 2020-12. All errors are collected, not only the first. The schema
 * itself is taken strictly: an unknown keyword or format is an error when it is compiled, not something silently ignored.
 */
export function createSchemaCompiler(): (schema: JsonSchema) => ValidateFunction {
  // `verbose` puts the offending value into each error, which the messages need; it costs nothing for valid data.
  const ajv = new Ajv2020({ allErrors: true, verbose: true, strict: true, allowUnionTypes: true });
  formats.default(ajv);
  ajv.addFormat('date-time', { type: 'string', validate: isDateTime });
  return (schema) => ajv.compile(schema);
}
