import type { ConnectionType } from '../ConnectionType.js';
import { ensureSigningSecret } from '../delivery/signingSecrets.js';
import { WebhookDestination } from '../delivery/WebhookDestination.js';
import { type CheckedWebhook, checkWebhook, type WebhookInput } from './checkWebhookConfiguration.js';
import { webhookRest } from './webhookRest.js';

const schema = `
  extend enum ConnectionType {
    "Any HTTP endpoint."
    WEBHOOK
  }

  extend union ConnectionConfiguration = WebhookConfiguration

  extend input ConnectionConfigurationInput {
    "For WEBHOOK."
    webhook: WebhookConfigurationInput
  }

  extend input CreateConnectionInput {
    "For WEBHOOK."
    webhook: WebhookConfigurationInput @deprecated(reason: "Use configuration: { webhook }.")
  }

  extend input UpdateConnectionInput {
    "For WEBHOOK."
    webhook: WebhookConfigurationInput @deprecated(reason: "Use configuration: { webhook }.")
  }

  "Where and how a webhook is called. Its secrets can be written, never read."
  type WebhookConfiguration {
    "The endpoint that deliveries are posted to."
    url: URL!
    "How deliveries authenticate there."
    authType: WebhookAuthType!
    "Sent with every delivery, after signature and auth."
    extraHeaders: [Header!]!
  }

  "How deliveries authenticate at a webhook."
  enum WebhookAuthType {
    "Not at all; the signature still proves who sent them."
    NONE
    "Authorization: Bearer token (RFC 6750)."
    BEARER
    "Authorization: Basic username and password (RFC 7617)."
    BASIC
    "A key in a header of your choice."
    API_KEY
  }

  "A header that goes with every delivery."
  type Header {
    "Its name (RFC 9110 5.1)."
    name: String!
    "Its value, one line."
    value: String!
  }

  "Where and how to call a webhook."
  input WebhookConfigurationInput {
    "http or https, public, without credentials. Required on creation. Another origin (scheme, host or port) needs authConfig and extraHeaders again."
    url: URL
    "NONE when not given."
    authType: WebhookAuthType
    "The secrets that authType takes."
    authConfig: WebhookAuthConfigInput
    "At most 20; replaces the whole list."
    extraHeaders: [HeaderInput!]
  }

  "Secrets for the chosen authType. Never readable again."
  input WebhookAuthConfigInput {
    "For BEARER."
    token: String
    "For BASIC."
    username: String
    "For BASIC."
    password: String
    "For API_KEY: the header that carries the key."
    headerName: String
    "For API_KEY."
    apiKey: String
  }

  "A header to send with every delivery."
  input HeaderInput {
    "A header's name; those that frame, sign or authenticate a delivery are refused."
    name: String!
    "One line."
    value: String!
  }
`;

/** The connection type for HTTP endpoints. Deliveries are posted to the URL, signed according to Standard Webhooks 1.0. */
export const webhookType: ConnectionType = {
  name: 'webhook',
  needsAuthorization: false,
  needsConfiguration: true,
  graphql: { schema },
  rest: webhookRest,
  open({ workDatabase, cipher, http, timeoutMs, allowPrivateNetworks }) {
    return {
      provider: null,
      destination: new WebhookDestination({
        http,
        cipher,
        timeoutMs,
        ensureSigningSecret: (connectionId) => ensureSigningSecret({ database: workDatabase, cipher }, connectionId),
      }),
      check: (input, stored, problems) =>
        checkWebhook(input as WebhookInput, stored as CheckedWebhook | null, allowPrivateNetworks, problems),
      show: ({ configuration }) => ({ __typename: 'WebhookConfiguration', ...configuration }),
    };
  },
};
