import { CONNECTION_TYPES, WEBHOOK_AUTH_TYPES } from '../../../domain/Connection.js';
import { idSchema } from './sharedSchemas.js';

const secret = (description: string) => ({ type: 'string', minLength: 1, maxLength: 4_096, description });

const webhookFields = {
  url: { type: 'string', minLength: 1, maxLength: 2_048, description: 'http or https, public, without credentials.' },
  auth_type: { type: 'string', enum: WEBHOOK_AUTH_TYPES, description: 'How deliveries authenticate there; `none` if not given.' },
  auth_config: {
    type: 'object',
    description: 'The secrets that `auth_type` takes. Never readable again.',
    additionalProperties: false,
    properties: {
      token: secret('For `bearer`.'),
      username: secret('For `basic`.'),
      password: secret('For `basic`.'),
      header_name: secret('For `api_key`: the header that carries the key.'),
      api_key: secret('For `api_key`.'),
    },
  },
  extra_headers: {
    type: 'object',
    description: 'Headers to send with every delivery, by name; replaces all of them.',
    maxProperties: 20,
    additionalProperties: { type: 'string', maxLength: 4_096 },
  },
} as const;

const type = { type: 'string', enum: CONNECTION_TYPES, description: 'What kind of place it is.' };
const klaviyo = {
  type: 'object',
  description: 'Empty: Klaviyo is linked by OAuth.',
  additionalProperties: false,
  properties: {},
};

export const createConnectionBody = {
  title: 'Create Connection request',
  type: 'object',
  required: ['type', 'configuration'],
  discriminator: { propertyName: 'type' },
  oneOf: [
    {
      title: 'Webhook',
      type: 'object',
      additionalProperties: false,
      required: ['type', 'configuration'],
      properties: {
        type: { type: 'string', const: 'webhook' },
        configuration: { type: 'object', additionalProperties: false, required: ['url'], properties: webhookFields },
      },
    },
    {
      title: 'Klaviyo',
      type: 'object',
      additionalProperties: false,
      required: ['type', 'configuration'],
      properties: { type: { type: 'string', const: 'klaviyo' }, configuration: klaviyo },
    },
  ],
};

export const updateConnectionBody = {
  title: 'Update Connection request',
  description: 'Only what is given changes. The type of a connection never does.',
  type: 'object',
  additionalProperties: false,
  properties: {
    type,
    configuration: { type: 'object', additionalProperties: false, properties: webhookFields },
  },
};

export const listConnectionsQuery = {
  type: 'object',
  additionalProperties: false,
  properties: { connection_type: { ...type, description: 'Only of this type.' } },
};

export const connectionSchemas = {
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
        description: 'For a webhook, where and how it is called, without secrets; empty for Klaviyo.',
        additionalProperties: false,
        properties: {
          url: webhookFields.url,
          auth_type: webhookFields.auth_type,
          extra_headers: { type: 'object', additionalProperties: { type: 'string' } },
        },
      },
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
} as const;
