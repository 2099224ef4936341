import { parcelEventCreated } from '../../../events/types/parcels/parcelEventCreated.js';
import { ref } from './sharedSchemas.js';

type Schema = Readonly<Record<string, unknown>>;
type WithProperties = Schema & { readonly properties: Record<string, Schema> };

const { name, description, schema, sample } = parcelEventCreated;
const { parcel, event } = (schema as { properties: Record<'parcel' | 'event', WithProperties> }).properties;
const { location_details: location } = event.properties;

/** The closed lists of a parcel event, by the field that holds them. */
const LISTS = ['event_type', 'phase', 'exception', 'status_type', 'sub_status'] as const;
const listName = (field: (typeof LISTS)[number]): string =>
  field === 'event_type' ? 'parcel-event-type' : `parcel-event-${field.replace('_', '-')}`;

/** What a webhook receives of a parcel event: the schemas that events are published against, under the names that clients know. */
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

/** What a webhook receives (OpenAPI 3.1 `webhooks`, Standard Webhooks). */
export const parcelWebhook = {
  post: {
    operationId: 'sc-public-v3-event-subscriptions-parcel_event_created',
    summary: 'Parcel event created',
    description: `${description} Delivered to connections that subscribe to \`${name}\`, at least once.`,
    tags: ['Events'],
    security: [],
    parameters: [
      header('webhook-id', 'The delivery; the same at every attempt, so that a repeat can be told.'),
      header('webhook-timestamp', 'When this attempt was made, in seconds since 1970 UTC.'),
      header('webhook-event-id', 'The event; the same for every subscription that it is delivered for.'),
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
      200: { description: 'It arrived, as any 2xx says. Anything else is tried again, but 410, which disables the connection.' },
    },
  },
};
