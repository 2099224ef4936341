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
    required: ['status', 'code', 'detail'],
    properties: {
      id: { type: 'string', description: 'Finds the error in our log; with status 500.' },
      status: { type: 'string', description: 'The HTTP status.', minLength: 1 },
      code: { type: 'string', description: 'Stable; made for programs.', enum: CODES },
      detail: { type: 'string', description: 'A sentence that says what to do; made for people.', minLength: 1 },
      source: {
        type: 'object',
        description: 'What it is about.',
        properties: {
          pointer: { type: 'string', description: 'JSON pointer (RFC 6901) into the body, below `/data`.' },
          parameter: { type: 'string', description: 'The name of the query parameter.' },
        },
      },
    },
  },
  errors: {
    title: 'Errors',
    type: 'object',
    description: 'Everything that is wrong. Nothing was changed.',
    required: ['errors'],
    properties: { errors: { type: 'array', minItems: 1, items: { $ref: '#/components/schemas/ErrorObject' } } },
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
