import type { EventTypeDefinition } from '../eventTypeDefinition.js';
import type { ConnectionEventData } from './connectionEventData.js';
import { connectionEventSchema } from './connectionEventSchema.js';

export type ConnectionReauthorizationRequiredData = ConnectionEventData;

export const connectionReauthorizationRequired: EventTypeDefinition<ConnectionReauthorizationRequiredData> = {
  name: 'connections.reauthorization.required',
  description: 'A grant is dead: deliveries are held until the merchant links the account again. The reason is in status_reason.',
  schema: connectionEventSchema('A connection that has to be authorized again.', { required: [], properties: {} }),
  sample: {
    connection: {
      id: '1042',
      type: 'klaviyo',
      name: 'Acme marketing',
      status: 'reauthorization_required',
      status_reason: 'Klaviyo no longer accepts the grant: the app was uninstalled or its access was revoked.',
    },
    occurred_at: '2026-06-21T03:40:11Z',
  },
  internal: true,
};
