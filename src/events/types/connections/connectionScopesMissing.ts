import type { EventTypeDefinition } from '../eventTypeDefinition.js';
import type { ConnectionEventData } from './connectionEventData.js';
import { connectionEventSchema } from './connectionEventSchema.js';

export type ConnectionScopesMissingData = ConnectionEventData & {
  missing_scopes: string[];
  granted_scopes: string[];
};

const scopes = (description: string) => ({ type: 'array', items: { type: 'string' }, description });

export const connectionScopesMissing: EventTypeDefinition<ConnectionScopesMissingData> = {
  name: 'connections.scopes.missing',
  description:
    'A grant was found to lack scopes that the connection asks for or needs. Deliveries are held only when the status says so; linking the account again asks for the scopes.',
  schema: connectionEventSchema('A connection whose grant lacks scopes.', {
    required: ['missing_scopes', 'granted_scopes'],
    properties: {
      missing_scopes: scopes('What is asked for or needed, but not granted.'),
      granted_scopes: scopes('What the grant still allows.'),
    },
  }),
  sample: {
    connection: {
      id: '1042',
      type: 'klaviyo',
      name: 'Acme marketing',
      status: 'reauthorization_required',
      status_reason: 'The grant lacks the scope events:write: connect again and allow it.',
    },
    occurred_at: '2026-07-02T04:12:45Z',
    missing_scopes: ['events:write'],
    granted_scopes: ['accounts:read'],
  },
  internal: true,
};
