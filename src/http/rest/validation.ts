import type { ErrorObject } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { FastifySchema, FastifySchemaCompiler } from 'fastify';
import { InputError, inputProblems, MOST_PROBLEMS, type Problem, SwitchboardError } from '../../domain/errors.js';
import { toProblem } from '../../events/types/eventTypeRegistry.js';
import type { JsonApiError } from '../handleErrors.js';

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

/** Characters of a field's name, which can be as long as a caller likes. */
const MOST_NAME = 120;

/** Says what ajv found in a body or query, once for each place, up to 20 places. */
function explainInvalid(found: readonly ErrorObject[], part: 'body' | 'querystring'): JsonApiError[] {
  const byPlace = new Map<string, JsonApiError>();
  for (const error of found) {
    if (byPlace.size >= MOST_PROBLEMS) break;
    const { path: wholePath, ...said } = explain(error);
    const path = wholePath.map((name) => name.slice(0, MOST_NAME));
    const source = part === 'body' ? { pointer: bodyPointer(path) } : { parameter: path.join('.') };
    const place = JSON.stringify(source);
    if (!byPlace.has(place)) byPlace.set(place, { status: '400', ...said, source });
  }
  return [...byPlace.values()];
}

function explain(error: ErrorObject): Pick<JsonApiError, 'code' | 'detail'> & { path: readonly string[] } {
  if (error.keyword === 'discriminator') {
    const { tag, tagValue } = error.params as { tag: string; tagValue: unknown };
    if (tagValue === undefined) return { code: 'required', detail: `${tag} is required.`, path: [tag] };
    if (tagValue === null) return { code: 'null', detail: `${tag} must not be null.`, path: [tag] };
    return { code: 'invalid_choice', detail: `${tag} must be one of the documented values.`, path: [tag] };
  }
  const { code, message, path } = toProblem(error);
  if (error.keyword === 'type' && error.data === null) return { code: 'null', detail: message, path };
  return { code: inputProblems[code].jsonApi, detail: message, path };
}

/** A request that can't be done as it is: everything that is wrong with it, in JSON:API's form. Status 400. */
export class InvalidRequest extends Error {
  readonly statusCode = 400;

  constructor(readonly errors: readonly JsonApiError[]) {
    super(errors.map(({ detail }) => detail).join(' '));
    this.name = 'InvalidRequest';
  }
}

/** A JSON pointer (RFC 6901) to a part of a body. Existing clients know bodies as being below `/data`. */
export function bodyPointer(path: readonly string[]): string {
  return ['', 'data', ...path].map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');
}

interface Request {
  /** The part of the use case's input that came from the path, not from the body. */
  readonly fromPath?: string;
  /** Names of the extra headers, in the order in which the use case got them. */
  readonly headerNames?: readonly string[];
}

/**
 * Does a use case's work, and says what is wrong with its input in the words of REST: 404 when what the path names is
 * not there, else 400 with pointers into the body.
 */
export async function answerInputErrors<T>(request: Request, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const missing = error.problems.find(({ code, path }) => code === 'NOT_FOUND' && path[0] === request.fromPath);
    if (missing) throw new SwitchboardError('NOT_FOUND', missing.message);
    throw new InvalidRequest(error.problems.map((problem) => toJsonApiError(problem, request)));
  }
}

function toJsonApiError({ code, message, path }: Problem, { fromPath, headerNames = [] }: Request): JsonApiError {
  const error = { status: '400', code: inputProblems[code].jsonApi, detail: message.replace(CAMEL_CASE, toSnakeCase) };
  return path[0] === fromPath ? error : { ...error, source: { pointer: bodyPointer(toBodyPath(path, headerNames)) } };
}

/** Where a part of a use case's input was in the body. */
function toBodyPath([first = '', ...rest]: readonly string[], headerNames: readonly string[]): string[] {
  if (first !== 'webhook' && first !== 'klaviyo') return [first, ...rest].map(toSnakeCase);
  const [field, index] = rest;
  if (field === 'extraHeaders' && index !== undefined) {
    return ['configuration', 'extra_headers', headerNames[Number(index)] ?? index];
  }
  return ['configuration', ...rest.map(toSnakeCase)];
}

/** Fields that messages speak of. */
const CAMEL_CASE = /\b(authType|authConfig|headerName|apiKey|extraHeaders|connectionId|eventType|isActive)\b/g;

function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
