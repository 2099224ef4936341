import type { ErrorObject } from 'ajv';
import { inputProblems } from '../../domain/errorCatalogue.js';
import { MOST_PROBLEMS } from '../../domain/ProblemList.js';
import { toProblem } from '../../events/types/toProblem.js';
import type { JsonApiError } from '../errors/jsonApiError.js';
import { bodyPointer } from './bodyPointer.js';

/** Characters of a field's name, which can be as long as a caller likes. */
const MOST_NAME = 120;

/** Says what ajv found in a body or query, once for each place, up to 20 places. */
export function explainInvalid(found: readonly ErrorObject[], part: 'body' | 'querystring'): JsonApiError[] {
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
