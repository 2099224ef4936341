import type { ConnectionType } from '../ConnectionType.js';
import { ensureSigningSecret } from '../delivery/signingSecrets.js';
import { WebhookDestination } from '../delivery/WebhookDestination.js';
import { type CheckedWebhook, checkWebhook, type WebhookInput } from './checkWebhookConfiguration.js';
import { webhookRest } from './webhookRest.js';

const schema = `
  extend enum ConnectionType {
    "An HTTP endpoint."
    WEBHOOK
  }

  extend union ConnectionConfiguration = WebhookConfiguration

  extend input ConnectionConfigurationInput {
    "The configuration of a WEBHOOK connection. A new connection requires it."
    webhook: WebhookConfigurationInput
  }

  extend input CreateConnectionInput {
    "The configuration of a WEBHOOK connection."
    webhook: WebhookConfigurationInput @deprecated(reason: "Use configuration: { webhook }.")
  }

  extend input UpdateConnectionInput {
    "The configuration of a WEBHOOK connection."
    webhook: WebhookConfigurationInput @deprecated(reason: "Use configuration: { webhook }.")
  }

  "The configuration of a webhook. Its secrets can be written, but not read."
  type WebhookConfiguration {
    "URL to which deliveries are posted."
    url: URL!
    "Authentication of deliveries."
    authType: WebhookAuthType!
    "Headers of every delivery, in addition to signature and authentication."
    extraHeaders: [Header!]!
  }

  "The authentication of deliveries at a webhook."
  enum WebhookAuthType {
    "No authentication. The signature proves the sender."
    NONE
    "Authorization: Bearer token (RFC 6750)."
    BEARER
    "Authorization: Basic username and password (RFC 7617)."
    BASIC
    "An API key in a header of your choice."
    API_KEY
  }

  "A header of every delivery."
  type Header {
    "Name of the header (RFC 9110 5.1)."
    name: String!
    "Value of the header, one line."
    value: String!
  }

  "The configuration of a webhook. In an update, absent fields stay as they are."
  input WebhookConfigurationInput {
    "URL of the endpoint: http or https, public, without credentials. Required for a new connection. A change of the origin (scheme, host or port) requires authConfig and extraHeaders again."
    url: URL
    "Authentication of deliveries; NONE by default."
    authType: WebhookAuthType
    "The secrets for authType."
    authConfig: WebhookAuthConfigInput
    "Headers of every delivery, at most 20. Replaces the whole list."
    extraHeaders: [HeaderInput!]
  }

  "The secrets for an authType. They cannot be read."
  input WebhookAuthConfigInput {
    "The token for BEARER."
    token: String
    "The user name for BASIC."
    username: String
    "The password for BASIC."
    password: String
    "The name of the header for API_KEY."
    headerName: String
    "The key for API_KEY."
    apiKey: String
  }

  "A header for every delivery."
  input HeaderInput {
    "Name of the header. Headers that frame, sign or authenticate a delivery are refused."
    name: String!
    "Value of the header, one line."
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
