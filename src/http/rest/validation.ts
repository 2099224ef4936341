import type { ErrorObject } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { FastifySchema, FastifySchemaCompiler } from 'fastify';
import { InputError, inputProblems, MOST_PROBLEMS, type Problem, SwitchboardError } from '../../domain/errors.js';
import { toProblem } from '../../events/types/eventTypeRegistry.js';
import type { JsonApiError } from '../handleErrors.js';
import type { RestConnectionType } from './RestPart.js';

/**
 * Keywords that describe the form of text and which fields go together. They are for readers and generators only: the use
 * cases check the same, for GraphQL too, with better messages.
 */
const FOR_READERS = ['pattern', 'propertyNames', 'anyOf'];

/**
 * Returns the compiler of Fastify's validators. Bodies are not converted: a quoted number is not a number. Query parameters
 * are text and are converted to the schema's type, booleans also as Python (`True`) and PHP (`1`) write them. The use cases
 * validate path parameters.
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
      // When fields are required, a missing body is validated as an empty object, so that the error names each missing
      // field.
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

/** Fastify passes null for a missing body. */
function absent(value: unknown): boolean {
  return value === undefined || value === null;
}

/** Maximum characters of a field's name in a message. A caller's name can be of any length. */
const MOST_NAME = 120;

/** Converts ajv's errors about a body or query to our messages: one for each path, at most 20. */
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

/** A request with invalid input: all its problems in JSON:API's format. Status 400. */
export class InvalidRequest extends Error {
  readonly statusCode = 400;

  constructor(readonly errors: readonly JsonApiError[]) {
    super(errors.map(({ detail }) => detail).join(' '));
    this.name = 'InvalidRequest';
  }
}

/** Returns a JSON pointer (RFC 6901) to a part of a body. Existing clients expect pointers below `/data`. */
export function bodyPointer(path: readonly string[]): string {
  return ['', 'data', ...path].map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');
}

interface Request {
  /** The field of the use case's input that came from the URL's path, not from the body. */
  readonly fromPath?: string;
  /** The configuration in the body, and its connection type. */
  readonly configuration?: { readonly type: RestConnectionType; readonly sent: object } | undefined;
}

/**
 * Runs a use case and converts its input errors to REST: 404 when the object that the path names does not exist, else 400
 * with pointers into the body.
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

function toJsonApiError({ code, message, path }: Problem, { fromPath, configuration }: Request): JsonApiError {
  const detail = inBodyWords(message, configuration?.type);
  const error = { status: '400', code: inputProblems[code].jsonApi, detail };
  return path[0] === fromPath ? error : { ...error, source: { pointer: bodyPointer(toBodyPath(path, configuration)) } };
}

/** Returns the path in the body for a path in the use case's input. */
function toBodyPath([first = '', ...rest]: readonly string[], configuration: Request['configuration']): string[] {
  if (first !== configuration?.type.name) return [first, ...rest].map(toSnakeCase);
  const { type, sent } = configuration;
  return ['configuration', ...(type.rest.toBodyPath?.(rest, sent) ?? rest.map(toSnakeCase))];
}

/** Names of fields that messages may contain. */
const FIELDS = ['connection_id', 'event_type', 'is_active'];

/** Returns the message with snake-case field names, as the body has them, instead of the use cases' camel case. */
function inBodyWords(message: string, type: RestConnectionType | undefined): string {
  const ours = [...FIELDS, ...(type ? fieldsOf(type.rest.createSchema) : [])];
  const byInput = new Map(ours.map((name) => [name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase()), name]));
  return message.replace(/\b[a-z]+(?:[A-Z][a-z]*)+\b/g, (word) => byInput.get(word) ?? word);
}

/** Lists every field that a JSON schema defines, at any depth. */
function fieldsOf(schema: object): string[] {
  const { properties = {} } = schema as { readonly properties?: Readonly<Record<string, object>> };
  return Object.entries(properties).flatMap(([name, inner]) => [name, ...fieldsOf(inner)]);
}

function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
