import { isDeepStrictEqual } from 'node:util';
import { AUTHORIZATION_STATUSES } from '../../domain/Authorization.js';
import { callErrors, type ErrorCode, type JsonApiCode } from '../../domain/errors.js';
import { parcelEventCreated } from '../../events/types/parcelEvents.js';
import type { RestConnectionType } from './RestPart.js';

/** The schema of an id in a body. Our ids begin at 1 and stay exact in JavaScript. */
const idSchema = { type: 'integer', format: 'int64', minimum: 1, maximum: Number.MAX_SAFE_INTEGER } as const;

/**
 * The path parameter of an operation on one object. It is not validated: a malformed id is "not found", as another
 * organization's id is.
 */
export const idParams = (name: string, description: string) => ({
  type: 'object',
  required: [name],
  properties: { [name]: { type: 'integer', description } },
});

/** A successful response `{ data: … }`. */
export const dataResponse = (description: string, data: object) => ({
  description,
  content: {
    'application/json': { schema: { type: 'object', required: ['data'], additionalProperties: false, properties: { data } } },
  },
});

export const listOf = (name: string) => ({ type: 'array', items: ref(name) });

export const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });

/** All codes of the OpenAPI description, so that generated clients stay compatible. */
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

/** Returns descriptions of the errors that an operation may respond with, from the catalogue. */
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

/** Errors of every operation. */
export const commonErrors = errorResponses(
  ...(['BAD_USER_INPUT', 'UNAUTHENTICATED', 'FORBIDDEN', 'NOT_ACCEPTABLE', 'PAYLOAD_TOO_LARGE'] as const),
  ...(['UNSUPPORTED_MEDIA_TYPE', 'RATE_LIMITED', 'INTERNAL_SERVER_ERROR', 'SERVICE_UNAVAILABLE'] as const),
);

/** Errors of an operation that accepts an `Idempotency-Key`. */
export const keyErrors = errorResponses('KEY_IN_USE', 'KEY_OF_ANOTHER_REQUEST');

/** Returns the REST schemas of connections of these types. Throws when two types define the same field differently. */
export function connectionSchemas(types: readonly RestConnectionType[]) {
  const type = { type: 'string', enum: types.map(({ name }) => name), description: 'What kind of place it is.' };
  const linked = types.filter(({ needsAuthorization }) => needsAuthorization).map(({ rest }) => rest.label);
  const shown = types.map(({ rest }) => rest.answerDescription).join('; ');
  const createBody = {
    title: 'Create Connection request',
    type: 'object',
    required: ['type', 'configuration'],
    properties: { type, configuration: { type: 'object', description: 'Its form depends on the type.' } },
    discriminator: { propertyName: 'type' },
    oneOf: types.map(({ name, rest }) => ({
      title: rest.label,
      type: 'object',
      additionalProperties: false,
      required: ['type', 'configuration'],
      properties: { type: { type: 'string', const: name }, configuration: rest.createSchema },
    })),
  };
  const updateBody = {
    title: 'Update Connection request',
    description: 'Only what is given changes. The type of a connection never does.',
    type: 'object',
    additionalProperties: false,
    properties: {
      type,
      configuration: {
        ...{ type: 'object', additionalProperties: false },
        properties: shareFields(types.map(({ rest }) => rest.updateFields)),
      },
    },
  };
  const listQuery = {
    type: 'object',
    additionalProperties: false,
    properties: { connection_type: { ...type, description: 'Only of this type.' } },
  };
  const components = {
    'connection-create-request': createBody,
    'connection-update-request': updateBody,
    connection: {
      title: 'Connection',
      description: 'Where events go.',
      type: 'object',
      required: ['id', 'type', 'configuration', 'created_at', 'updated_at'],
      additionalProperties: false,
      properties: {
        id: { ...idSchema, description: 'Unique identifier.' },
        type,
        configuration: {
          type: 'object',
          description: `${shown.charAt(0).toUpperCase()}${shown.slice(1)}.`,
          additionalProperties: false,
          properties: shareFields(types.map(({ rest }) => rest.answerFields)),
        },
        authorization: authorizationSchema(linked),
        created_at: { type: 'string', format: 'date-time', description: 'When it was created.' },
        updated_at: { type: 'string', format: 'date-time', description: 'When it was last changed.' },
      },
    },
    'connection-authorization-response': {
      title: 'Authorization Response',
      type: 'object',
      required: ['authorization_url'],
      additionalProperties: false,
      properties: {
        authorization_url: { type: 'string', format: 'uri', description: 'Where to send the browser, within ten minutes.' },
      },
    },
  };
  return { createBody, updateBody, listQuery, components };
}

const authorizationSchema = (linked: readonly string[]) => ({
  type: ['object', 'null'],
  description: `For ${linked.join(' and ')}, the latest attempt to link it, and its outcome; null before the first one.`,
  required: ['status', 'error_code', 'error_description', 'created_at', 'completed_at'],
  additionalProperties: false,
  properties: {
    status: { type: 'string', enum: AUTHORIZATION_STATUSES, description: 'Its current status.' },
    error_code: { type: ['string', 'null'], description: "Why it did not work: a code of ours, or the provider's." },
    error_description: { type: ['string', 'null'], description: 'The reason for the merchant, in one or two sentences.' },
    created_at: { type: 'string', format: 'date-time', description: 'When it was started.' },
    completed_at: { type: ['string', 'null'], format: 'date-time', description: 'When it ended.' },
  },
});

function shareFields(parts: readonly Readonly<Record<string, object>>[]): Record<string, object> {
  const shared: Record<string, object> = {};
  for (const [name, schema] of parts.flatMap((part) => Object.entries(part))) {
    if (!isDeepStrictEqual(shared[name] ?? schema, schema)) throw new Error(`Two connection types define ${name} differently.`);
    shared[name] = schema;
  }
  return shared;
}

const fields = (eventTypes: readonly string[]) => ({
  connection_id: { ...idSchema, description: 'Where the events go.' },
  event_type: { type: 'string', enum: eventTypes, description: 'Which events.' },
  is_active: { type: 'boolean', description: 'False while it is paused.' },
});

export const createSubscriptionBody = (eventTypes: readonly string[]) => ({
  title: 'Create Subscription request',
  type: 'object',
  required: ['connection_id', 'event_type'],
  additionalProperties: false,
  properties: {
    ...fields(eventTypes),
    is_active: { type: 'boolean', default: true, description: 'False makes it paused from the start.' },
  },
});

export const updateSubscriptionBody = (eventTypes: readonly string[]) => ({
  title: 'Update Subscription request',
  description: 'Only what is given changes.',
  type: 'object',
  additionalProperties: false,
  properties: fields(eventTypes),
});

export const listSubscriptionsQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    event_type: { type: 'string', description: 'Only of this event type; of one that REST does not know, there are none.' },
    is_active: { type: 'boolean', description: 'Only active ones, or only paused ones.' },
  },
};

export const subscriptionSchemas = (eventTypes: readonly string[]) => ({
  'subscription-create-request': createSubscriptionBody(eventTypes),
  'subscription-update-request': updateSubscriptionBody(eventTypes),
  subscription: {
    title: 'Subscription',
    description: 'Which events go to a connection.',
    type: 'object',
    required: ['id', 'connection_id', 'event_type', 'is_active', 'created_at', 'updated_at'],
    additionalProperties: false,
    properties: {
      id: { ...idSchema, description: 'Unique identifier.' },
      ...fields(eventTypes),
      created_at: { type: 'string', format: 'date-time', description: 'When it was created.' },
      updated_at: { type: 'string', format: 'date-time', description: 'When it was last changed.' },
    },
  },
  'broadcast-result': {
    title: 'Broadcast Result',
    description: "The result of sending a test event to the subscription's destination.",
    type: 'object',
    required: ['success'],
    additionalProperties: false,
    properties: {
      success: { type: 'boolean', description: 'True when the destination accepted it.' },
      status_code: { type: 'integer', description: 'The HTTP status of its answer; missing when none came.' },
      response_body: { type: 'string', description: 'The first 16 KiB of its answer; missing when none came.' },
      error: { type: 'string', description: 'Why it did not work; missing when it did.' },
    },
  },
});

type Schema = Readonly<Record<string, unknown>>;
type WithProperties = Schema & { readonly properties: Record<string, Schema> };

const { name, description, schema, sample } = parcelEventCreated;
const { parcel, event } = (schema as { properties: Record<'parcel' | 'event', WithProperties> }).properties;
const { location_details: location } = event.properties;

/** Fields of a parcel event whose values come from a fixed list. */
const LISTS = ['event_type', 'phase', 'exception', 'status_type', 'sub_status'] as const;
const listName = (field: (typeof LISTS)[number]): string =>
  field === 'event_type' ? 'parcel-event-type' : `parcel-event-${field.replace('_', '-')}`;

/**
 * The schemas of what a webhook receives for a parcel event: those that publishing validates against, under the names that
 * clients know.
 */
export const parcelSchemas = {
  ParcelEventCreatedPayload: {
    type: 'object',
    description: 'The body of a delivery.',
    required: ['event_type', 'data'],
    properties: {
      event_type: { type: 'string', enum: [name], description: 'Which events these are.' },
      data: {
        type: 'object',
        description: schema.description,
        required: schema.required,
        properties: { parcel: ref('WebhookParcelData'), event: ref('WebhookEventData') },
      },
    },
  },
  WebhookParcelData: parcel,
  WebhookEventData: {
    ...event,
    properties: {
      ...event.properties,
      ...Object.fromEntries(LISTS.map((field) => [field, ref(listName(field))])),
      location_details: { description: location?.description, oneOf: [ref('WebhookLocationData'), { type: 'null' }] },
    },
  },
  WebhookLocationData: { ...location, type: 'object' },
  ...Object.fromEntries(LISTS.map((field) => [listName(field), event.properties[field]])),
};

const header = (headerName: string, text: string) => ({
  name: headerName,
  in: 'header',
  required: true,
  description: text,
  schema: { type: 'string' },
});

/** The description of a webhook's requests (OpenAPI 3.1 `webhooks`, Standard Webhooks). */
export const parcelWebhook = {
  post: {
    operationId: 'sc-public-v3-event-subscriptions-parcel_event_created',
    summary: 'Parcel event created',
    description: `${description} Delivered to connections that subscribe to \`${name}\`, at least once.`,
    tags: ['Events'],
    security: [],
    parameters: [
      header('webhook-id', 'The id of the delivery, which is the same in every attempt, so that a repetition can be detected.'),
      header('webhook-timestamp', 'When this attempt was made, in seconds since 1970 UTC.'),
      header('webhook-event-id', 'The id of the event, which is the same for every subscription that it is delivered for.'),
      header('webhook-event-time', 'When the event happened: RFC 3339, in UTC.'),
      header('webhook-signature', '`v1,` and the base64 of an HMAC-SHA256; after a rotation two of them, with a space between.'),
    ],
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: ref('ParcelEventCreatedPayload'),
          examples: { sample: { value: { event_type: name, data: sample } } },
        },
      },
    },
    responses: {
      200: {
        description:
          'The event has arrived. Every 2xx means that. Every other response is tried again, except 410, which disables the connection.',
      },
    },
  },
};
