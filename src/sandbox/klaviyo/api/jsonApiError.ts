import { randomUUID } from 'node:crypto';
import type { Answer } from '../../web/answer.js';

export const JSON_API = 'application/vnd.api+json';

/** What is wrong, and where: in the body, or in a query parameter. */
export type ErrorPlace = { detail: string } & (
  | { pointer: string; parameter?: undefined }
  | { parameter: string; pointer?: undefined }
);

/** One error in the shape of Klaviyo's API. */
export function jsonApiError(status: number, code: string, title: string, detail: string, pointer = '/data/'): Answer {
  const error = { id: randomUUID(), status, code, title, detail, source: { pointer }, meta: {} };
  return { status, type: JSON_API, json: { errors: [error] } };
}

/** 400 with one entry for each mistake, each with its place in the request. */
export function invalidInput(places: ErrorPlace[]): Answer {
  const errors = places.map(({ detail, pointer, parameter }) => ({
    id: randomUUID(),
    status: 400,
    code: 'invalid',
    title: 'Invalid input.',
    detail,
    source: parameter === undefined ? { pointer } : { parameter },
    meta: {},
  }));
  return { status: 400, type: JSON_API, json: { errors } };
}

export const notFound = (detail: string): Answer => jsonApiError(404, 'not_found', 'Not found.', detail);

/** 429. Of all rate limit headers it carries Retry-After alone, in seconds. */
export function throttledAnswer(seconds: number): Answer {
  const detail = `Request was throttled. Expected available in ${seconds} second${seconds === 1 ? '' : 's'}.`;
  return { ...jsonApiError(429, 'throttled', 'Request was throttled.', detail), headers: { 'retry-after': String(seconds) } };
}

export const notAuthenticated = (): Answer =>
  jsonApiError(401, 'not_authenticated', 'Authentication credentials were not provided.', 'Missing or invalid access token.');

export const permissionDenied = (scope: string): Answer =>
  jsonApiError(
    403,
    'permission_denied',
    'You do not have permission to perform this action.',
    `The access token lacks the scope ${scope}.`,
  );
