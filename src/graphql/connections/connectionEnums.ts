import { registerEnumType } from 'type-graphql';

export const ConnectionTypeEnum = { WEBHOOK: 'webhook', KLAVIYO: 'klaviyo' } as const;
registerEnumType(ConnectionTypeEnum, {
  name: 'ConnectionType',
  description: 'The kinds of places that events can go to.',
  valuesConfig: {
    WEBHOOK: { description: 'Any HTTP endpoint.' },
    KLAVIYO: { description: "A merchant's Klaviyo account, linked by OAuth." },
  },
});

export const ConnectionStatusEnum = {
  PENDING_AUTHORIZATION: 'pending_authorization',
  ACTIVE: 'active',
  REAUTHORIZATION_REQUIRED: 'reauthorization_required',
  DISABLED: 'disabled',
} as const;
registerEnumType(ConnectionStatusEnum, {
  name: 'ConnectionStatus',
  description: 'Whether events can go out. In every status but ACTIVE they are held, not lost.',
  valuesConfig: {
    PENDING_AUTHORIZATION: { description: 'Waits for the merchant to authorize it: call startAuthorization.' },
    ACTIVE: { description: 'Delivers.' },
    REAUTHORIZATION_REQUIRED: { description: 'The provider no longer honours the grant: call startAuthorization again.' },
    DISABLED: {
      description: 'Turned off, by hand or since it only failed for five days or answered 410; statusReason says why.',
    },
  },
});

export const WebhookAuthTypeEnum = { NONE: 'none', BEARER: 'bearer', BASIC: 'basic', API_KEY: 'api_key' } as const;
registerEnumType(WebhookAuthTypeEnum, {
  name: 'WebhookAuthType',
  description: 'How deliveries authenticate at a webhook.',
  valuesConfig: {
    NONE: { description: 'Not at all; the signature still proves who sent them.' },
    BEARER: { description: 'Authorization: Bearer token (RFC 6750).' },
    BASIC: { description: 'Authorization: Basic username and password (RFC 7617).' },
    API_KEY: { description: 'A key in a header of your choice.' },
  },
});
