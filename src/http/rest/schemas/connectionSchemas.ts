import { AUTHORIZATION_STATUSES } from '../../../domain/Authorization.js';
import { CONNECTION_TYPES, WEBHOOK_AUTH_TYPES } from '../../../domain/Connection.js';
import { idSchema } from './sharedSchemas.js';

/** One line; the pattern and all others here are for readers and generators, see createValidator. */
const secret = (description: string, pattern = '^[^\\r\\n\\u0000]+$') => ({
  ...{ type: 'string', minLength: 1, maxLength: 4_096, pattern },
  description,
});

/** RFC 9110 5.6.2. */
const HEADER_NAME = "^[!#$%&'*+\\-.^_`|~0-9A-Za-z]+$";

const webhookFields = {
  url: {
    ...{ type: 'string', minLength: 1, maxLength: 2_048 },
    pattern: '^[Hh][Tt][Tt][Pp][Ss]?://[^\\u0000-\\u0020\\u007f-\\u00a0\\u2028\\u2029\\ufeff#]+$',
    description: 'http or https, public, without credentials or fragment.',
  },
  auth_type: { type: 'string', enum: WEBHOOK_AUTH_TYPES, description: 'How deliveries authenticate there; `none` if not given.' },
  auth_config: {
    type: 'object',
    description: 'The secrets that `auth_type` takes. Never readable again.',
    additionalProperties: false,
    properties: {
      token: secret('For `bearer`.', '^[\\x21-\\x7e]+$'),
      username: secret('For `basic`.', '^[^\\r\\n\\u0000:]+$'),
      password: secret('For `basic`.'),
      header_name: secret('For `api_key`: the header that carries the key.', HEADER_NAME),
      api_key: secret('For `api_key`.', '^[\\x20-\\x7e]+$'),
    },
  },
  extra_headers: {
    type: 'object',
    description: 'Headers to send with every delivery, by name; replaces all of them.',
    maxProperties: 20,
    propertyNames: { pattern: HEADER_NAME, maxLength: 256 },
    additionalProperties: { type: 'string', maxLength: 4_096, pattern: '^[\\x20-\\x7e]*$' },
  },
} as const;

/** Which secrets belong to which auth. */
const authVariants = [
  { title: 'No authentication', properties: { auth_type: { const: 'none' }, auth_config: { maxProperties: 0 } } },
  ...[
    { title: 'Bearer token', type: 'bearer', fields: ['token'] },
    { title: 'Basic', type: 'basic', fields: ['username', 'password'] },
    { title: 'API key', type: 'api_key', fields: ['header_name', 'api_key'] },
  ].map(({ title, type, fields }) => ({
    title,
    required: ['auth_type', 'auth_config'],
    properties: { auth_type: { const: type }, auth_config: { required: fields, propertyNames: { enum: fields } } },
  })),
];

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
  properties: { type, configuration: { type: 'object', description: 'Its form depends on the type.' } },
  discriminator: { propertyName: 'type' },
  oneOf: [
    {
      title: 'Webhook',
      type: 'object',
      additionalProperties: false,
      required: ['type', 'configuration'],
      properties: {
        type: { type: 'string', const: 'webhook' },
        configuration: {
          ...{ type: 'object', additionalProperties: false, required: ['url'], properties: webhookFields },
          anyOf: authVariants,
        },
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
  'connection-create-request': createConnectionBody,
  'connection-update-request': updateConnectionBody,
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
          url: { type: 'string', description: 'Where events are sent.' },
          auth_type: webhookFields.auth_type,
          extra_headers: { type: 'object', additionalProperties: { type: 'string' } },
        },
      },
      authorization: {
        type: ['object', 'null'],
        description: 'For Klaviyo, the latest attempt to link it, and what became of it; null before the first one.',
        required: ['status', 'error_code', 'error_description', 'created_at', 'completed_at'],
        additionalProperties: false,
        properties: {
          status: { type: 'string', enum: AUTHORIZATION_STATUSES, description: 'How far it came.' },
          error_code: { type: ['string', 'null'], description: "Why it did not work: a code of ours, or the provider's." },
          error_description: { type: ['string', 'null'], description: 'The same in a sentence or two for the merchant.' },
          created_at: { type: 'string', format: 'date-time', description: 'When it was started.' },
          completed_at: { type: ['string', 'null'], format: 'date-time', description: 'When it had an outcome.' },
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
