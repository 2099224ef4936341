import type { ErrorObject } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { FastifySchema, FastifySchemaCompiler } from 'fastify';
import { InputError, inputProblems, MOST_PROBLEMS, type Problem, SwitchboardError } from '../../domain/errors.js';
import { toProblem } from '../../events/types/eventTypeRegistry.js';
import type { JsonApiError } from '../handleErrors.js';
import type { RestConnectionType } from './RestPart.js';

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
  /** The configuration that the body brought, and the type that it is of. */
  readonly configuration?: { readonly type: RestConnectionType; readonly sent: object } | undefined;
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

function toJsonApiError({ code, message, path }: Problem, { fromPath, configuration }: Request): JsonApiError {
  const detail = inBodyWords(message, configuration?.type);
  const error = { status: '400', code: inputProblems[code].jsonApi, detail };
  return path[0] === fromPath ? error : { ...error, source: { pointer: bodyPointer(toBodyPath(path, configuration)) } };
}

/** Where a part of a use case's input was in the body. */
function toBodyPath([first = '', ...rest]: readonly string[], configuration: Request['configuration']): string[] {
  if (first !== configuration?.type.name) return [first, ...rest].map(toSnakeCase);
  const { type, sent } = configuration;
  return ['configuration', ...(type.rest.toBodyPath?.(rest, sent) ?? rest.map(toSnakeCase))];
}

/** Fields that messages may speak of. */
const FIELDS = ['connection_id', 'event_type', 'is_active'];

/** The message with the body's names for its fields: the use cases know them in camel case. */
function inBodyWords(message: string, type: RestConnectionType | undefined): string {
  const ours = [...FIELDS, ...(type ? fieldsOf(type.rest.createSchema) : [])];
  const byInput = new Map(ours.map((name) => [name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase()), name]));
  return message.replace(/\b[a-z]+(?:[A-Z][a-z]*)+\b/g, (word) => byInput.get(word) ?? word);
}

/** Every field that a JSON schema names, at whatever depth. */
function fieldsOf(schema: object): string[] {
  const { properties = {} } = schema as { readonly properties?: Readonly<Record<string, object>> };
  return Object.entries(properties).flatMap(([name, inner]) => [name, ...fieldsOf(inner)]);
}

function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
