import type { FastifyRequest } from 'fastify';
import { isRecord } from '../../isRecord.js';
import type { Answer } from '../../web/answer.js';
import { invalidInput, JSON_API, jsonApiError } from './jsonApiError.js';

/** Five million bytes: the smaller reading of Klaviyo's "5 MB", so that whoever fits here fits there. */
export const MOST_BODY_BYTES = 5_000_000;

export type JsonApiBody = { attributes: Record<string, unknown>; error?: undefined } | { attributes?: undefined; error: Answer };

/** `data.attributes` of a JSON:API body whose `data.type` is as expected. Klaviyo's own SDK sends it as application/json. */
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
