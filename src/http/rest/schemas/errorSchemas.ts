import { callErrors, type JsonApiCode } from '../../../domain/errorCatalogue.js';
import type { ErrorCode } from '../../../domain/SwitchboardError.js';

/** The OpenAPI's whole list, so that generated clients stay compatible. */
const CODES: readonly (JsonApiCode | 'validation_error' | 'parcel_announcement_error')[] = [
  ...(['unknown_field', 'invalid', 'forbidden', 'invalid_choice', 'min_value', 'null', 'not_found', 'required'] as const),
  ...(['not_a_list', 'non_field_errors', 'authentication_failed', 'validation_error', 'parcel_announcement_error'] as const),
];

export const errorSchemas = {
  ErrorObject: {
    title: 'Error',
    type: 'object',
    description: "One thing that is wrong, in JSON:API's form.",
    properties: {
      id: { type: 'string', description: 'Finds the error in our log; with status 500.' },
      links: {
        type: 'object',
        description: 'Not sent.',
        properties: { about: { type: 'string', description: 'Where to read more.' } },
      },
      status: { type: 'string', format: 'int32', description: 'The HTTP status.', minLength: 1 },
      code: { type: 'string', description: 'Stable; made for programs.', minLength: 1, enum: CODES },
      title: { type: 'string', description: 'Not sent.', minLength: 1 },
      detail: { type: 'string', description: 'A sentence that says what to do; made for people.', minLength: 1 },
      source: {
        type: 'object',
        description: 'What it is about.',
        properties: {
          pointer: { type: 'string', description: 'JSON pointer (RFC 6901) into the body, below `/data`.' },
          parameter: { type: 'string', description: 'The name of the query parameter.' },
          header: { type: 'string', description: 'The name of the header.' },
        },
      },
      meta: { type: 'object', description: 'Not sent.' },
    },
  },
  errors: {
    title: 'Errors',
    type: 'object',
    description: 'Everything that is wrong. Nothing was changed.',
    required: ['errors'],
    properties: {
      errors: {
        type: 'array',
        minItems: 1,
        items: {
          type: 'object',
          allOf: [{ $ref: '#/components/schemas/ErrorObject' }],
          required: ['status', 'code', 'detail'],
        },
      },
    },
  },
} as const;

/** The failures that an operation may answer with, described by the catalogue. */
export function errorResponses(...codes: ErrorCode[]): Record<string, object> {
  return Object.fromEntries(
    codes.map((code) => [
      callErrors[code].status,
      {
        description: callErrors[code].means,
        content: { 'application/json': { schema: { $ref: '#/components/schemas/errors' } } },
      },
    ]),
  );
}

/** The failures that every operation may answer with. */
export const commonErrors = errorResponses(
  ...(['BAD_USER_INPUT', 'UNAUTHENTICATED', 'FORBIDDEN', 'NOT_ACCEPTABLE', 'PAYLOAD_TOO_LARGE'] as const),
  ...(['UNSUPPORTED_MEDIA_TYPE', 'RATE_LIMITED', 'INTERNAL_SERVER_ERROR', 'SERVICE_UNAVAILABLE'] as const),
);

/** What an operation that takes an `Idempotency-Key` may answer besides. */
export const keyErrors = errorResponses('KEY_IN_USE', 'KEY_OF_ANOTHER_REQUEST');
