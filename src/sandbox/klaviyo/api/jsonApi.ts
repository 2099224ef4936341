import { randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { type Answer, isRecord } from '../../web.js';

export const JSON_API = 'application/vnd.api+json';

/** A problem and its position: in the body, or in a query parameter. */
export type ErrorPlace = { detail: string } & (
  | { pointer: string; parameter?: undefined }
  | { parameter: string; pointer?: undefined }
);

/** Builds one error in the format of Klaviyo's API. */
export function jsonApiError(status: number, code: string, title: string, detail: string, pointer = '/data/'): Answer {
  const error = { id: randomUUID(), status, code, title, detail, source: { pointer }, meta: {} };
  return { status, type: JSON_API, json: { errors: [error] } };
}

/** Builds a 400 with one entry for each problem, each with its position in the request. */
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

/** Builds a 429. Its only rate limit header is Retry-After, in seconds. */
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

/** Five million bytes: the smaller reading of Klaviyo's "5 MB", so that a body accepted here is accepted by Klaviyo too. */
export const MOST_BODY_BYTES = 5_000_000;

type JsonApiBody = { attributes: Record<string, unknown>; error?: undefined } | { attributes?: undefined; error: Answer };

/** Reads `data.attributes` of a JSON:API body with the expected `data.type`. Klaviyo's own SDK sends it as application/json. */
export function readJsonApiBody(request: FastifyRequest, type: string): JsonApiBody {
  const sent = request.headers['content-type'] ?? '';
  if (![JSON_API, 'application/json'].includes(sent.split(';')[0]?.trim().toLowerCase() ?? '')) {
    const detail = `The content type must be ${JSON_API} or application/json.`;
    return { error: jsonApiError(415, 'unsupported_media_type', 'Unsupported media type.', detail) };
  }
  const refuse = (detail: string, pointer: string) => ({ error: invalidInput([{ detail, pointer }]) });
  const body = parse(request.body);
  if (!isRecord(body)) return refuse('The body is not a JSON object.', '/data');
  if (!isRecord(body.data)) return refuse('data is required and must be an object.', '/data');
  if (body.data.type !== type) return refuse(`data.type must be "${type}".`, '/data/type');
  if (!isRecord(body.data.attributes)) return refuse('attributes is required and must be an object.', '/data/attributes');
  return { attributes: body.data.attributes };
}

function parse(body: unknown): unknown {
  try {
    return JSON.parse(Buffer.isBuffer(body) ? body.toString('utf8') : '');
  } catch {
    return undefined;
  }
}
