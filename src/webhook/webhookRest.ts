import type { ConnectionType } from '../ConnectionType.js';
import { WEBHOOK_AUTH_TYPES, type WebhookAuthType, type WebhookConfiguration } from '../delivery/WebhookDestination.js';
import type { WebhookInput } from './checkWebhookConfiguration.js';

/** One line of text. All patterns here are for readers and code generators; see createValidator. */
const secret = (description: string, pattern = '^[^\\r\\n\\u0000]+$') => ({
  ...{ type: 'string', minLength: 1, maxLength: 4_096, pattern },
  description,
});

/** RFC 9110 5.6.2. */
const HEADER_NAME = "^[!#$%&'*+\\-.^_`|~0-9A-Za-z]+$";

const fields = {
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

/** The secrets of each auth type. */
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

/** A webhook's configuration in a request body, already checked by its schema. */
interface WebhookBody {
  readonly url?: string;
  readonly auth_type?: WebhookAuthType;
  readonly auth_config?: Partial<Record<'token' | 'username' | 'password' | 'header_name' | 'api_key', string>>;
  readonly extra_headers?: Readonly<Record<string, string>>;
}

/** A webhook's configuration in REST bodies and responses. */
export const webhookRest: ConnectionType['rest'] = {
  label: 'Webhook',
  createSchema: {
    ...{ type: 'object', additionalProperties: false, required: ['url'], properties: fields },
    anyOf: authVariants,
  },
  updateFields: fields,
  answerFields: {
    url: { type: 'string', description: 'Where events are sent.' },
    auth_type: fields.auth_type,
    extra_headers: { type: 'object', additionalProperties: { type: 'string' } },
  },
  answerDescription: 'for a webhook, where and how it is called, without secrets',
  toInput({ url, auth_type, auth_config, extra_headers }: WebhookBody): WebhookInput {
    return {
      url,
      authType: auth_type,
      authConfig: auth_config && {
        token: auth_config.token,
        username: auth_config.username,
        password: auth_config.password,
        headerName: auth_config.header_name,
        apiKey: auth_config.api_key,
      },
      extraHeaders: extra_headers && Object.entries(extra_headers).map(([name, value]) => ({ name, value })),
    };
  },
  present(configuration) {
    const { url, authType, extraHeaders } = configuration as WebhookConfiguration;
    return {
      url,
      auth_type: authType,
      extra_headers: Object.fromEntries(extraHeaders.map(({ name, value }) => [name, value])),
    };
  },
  /** Extra headers are an object in the body but a list in the input. */
  toBodyPath([field, index], { extra_headers = {} }: WebhookBody) {
    if (field !== 'extraHeaders' || index === undefined) return null;
    return ['extra_headers', Object.keys(extra_headers)[Number(index)] ?? index];
  },
};
