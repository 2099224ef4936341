import { inputProblems } from '../../domain/errorCatalogue.js';
import { InputError, type Problem } from '../../domain/InputError.js';
import { SwitchboardError } from '../../domain/SwitchboardError.js';
import type { JsonApiError } from '../errors/jsonApiError.js';
import { bodyPointer } from './bodyPointer.js';
import { InvalidRequest } from './InvalidRequest.js';

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
