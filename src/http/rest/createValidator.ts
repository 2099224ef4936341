import { Ajv2020 } from 'ajv/dist/2020.js';
import type { FastifySchema, FastifySchemaCompiler } from 'fastify';
import { explainInvalid } from './explainInvalid.js';
import { InvalidRequest } from './InvalidRequest.js';

/**
 * What the schemas of bodies say of the form of text, and of which fields go together, is for those who read or generate:
 * the use cases check it, for GraphQL too, and tell in words what is wrong.
 */
const FOR_READERS = ['pattern', 'propertyNames', 'anyOf'];

/**
 * Makes what Fastify validates requests with. Bodies are taken as they are: a number in quotes is no number. Query
 * parameters are text, which is read as what the schema wants: a boolean also as Python (`True`) and PHP (`1`) write it. Path parameters are the use cases' business.
 */
export function createValidator(): FastifySchemaCompiler<FastifySchema> {
  const options = { allErrors: true, verbose: true, discriminator: true, validateFormats: false };
  const compilers = {
    body: new Ajv2020(options),
    querystring: new Ajv2020({ ...options, coerceTypes: true }),
  };
  for (const keyword of FOR_READERS) compilers.body.removeKeyword(keyword).addKeyword(keyword);
  return ({ schema, httpPart }) => {
    if (httpPart !== 'body' && httpPart !== 'querystring') return (value) => ({ value });
    const validate = compilers[httpPart].compile(schema);
    const namesWhatIsMissing = httpPart === 'querystring' || 'required' in schema;
    return (value) => {
      if (absent(value) && !namesWhatIsMissing) {
        return {
          error: new InvalidRequest([{ status: '400', code: 'required', detail: 'A body is required: send a JSON object.' }]),
        };
      }
      // Where fields are required, a body that was not sent is an empty one: every missing field is named.
      const given = absent(value) ? {} : value;
      if (httpPart === 'querystring') readBooleans(given as Query, schema as QuerySchema);
      if (validate(given)) return { value: given };
      return { error: new InvalidRequest(explainInvalid(validate.errors ?? [], httpPart)) };
    };
  };
}

type Query = Record<string, unknown>;
interface QuerySchema {
  readonly properties: Record<string, { readonly type: string }>;
}
const BOOLEANS: Record<string, string> = { 1: 'true', 0: 'false' };

function readBooleans(query: Query, { properties }: QuerySchema): void {
  for (const [name, { type }] of Object.entries(properties)) {
    const value = query[name];
    if (type === 'boolean' && typeof value === 'string') query[name] = BOOLEANS[value] ?? value.toLowerCase();
  }
}

/** Fastify says null where no body was sent. */
function absent(value: unknown): boolean {
  return value === undefined || value === null;
}
