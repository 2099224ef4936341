import type { EventTypeDefinition } from '../eventTypeDefinition.js';
import type { ConnectionEventData } from './connectionEventData.js';
import { connectionEventSchema } from './connectionEventSchema.js';

export type ConnectionAuthorizationCompletedData = ConnectionEventData & {
  /** The provider's account that is linked now; null when the provider didn't say. */
  account: { id: string; name: string | null } | null;
  granted_scopes: string[];
  /** Asked for, not granted. */
  missing_scopes: string[];
};

const scopes = (description: string) => ({ type: 'array', items: { type: 'string' }, description });

export const connectionAuthorizationCompleted: EventTypeDefinition<ConnectionAuthorizationCompletedData> = {
  name: 'connections.authorization.completed',
  description: 'A merchant linked an account, for the first time or again: events are delivered from now on, held ones first.',
  schema: connectionEventSchema('A connection that was authorized.', {
    required: ['account', 'granted_scopes', 'missing_scopes'],
    properties: {
      account: {
        type: ['object', 'null'],
        description: "The provider's account that is linked.",
        required: ['id', 'name'],
        properties: {
          id: { type: 'string', description: "The provider's id of the account." },
          name: { type: ['string', 'null'], description: 'What the account is called there.' },
        },
      },
      granted_scopes: scopes('What the merchant allowed.'),
      missing_scopes: scopes('What was asked for, but not allowed.'),
    },
  }),
  sample: {
    connection: { id: '1042', type: 'klaviyo', name: 'Acme marketing', status: 'active', status_reason: null },
    occurred_at: '2026-03-09T09:15:02Z',
    account: { id: 'AbC123', name: 'Acme' },
    granted_scopes: ['accounts:read', 'events:write'],
    missing_scopes: [],
  },
  internal: true,
};
