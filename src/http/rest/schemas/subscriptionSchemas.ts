import { idSchema } from './sharedSchemas.js';

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
    description: "How a test event fared at the subscription's destination.",
    type: 'object',
    required: ['success'],
    additionalProperties: false,
    properties: {
      success: { type: 'boolean', description: 'True when the destination took it.' },
      status_code: { type: 'integer', description: 'The HTTP status of its answer; missing when none came.' },
      response_body: { type: 'string', description: 'The first 16 KiB of its answer; missing when none came.' },
      error: { type: 'string', description: 'Why it did not work; missing when it did.' },
    },
  },
});
