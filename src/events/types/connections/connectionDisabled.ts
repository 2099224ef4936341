import type { EventTypeDefinition } from '../eventTypeDefinition.js';
import type { ConnectionEventData } from './connectionEventData.js';
import { connectionEventSchema } from './connectionEventSchema.js';

export type ConnectionDisabledData = ConnectionEventData & {
  /** RFC 3339: since when nothing succeeded; null when that isn't why. */
  failing_since: string | null;
};

export const connectionDisabled: EventTypeDefinition<ConnectionDisabledData> = {
  name: 'connections.disabled',
  description: 'Delivery to a connection stopped: it failed for days, or its receiver said that it is gone. Deliveries are held.',
  schema: connectionEventSchema('A connection that was disabled.', {
    required: ['failing_since'],
    properties: {
      failing_since: {
        type: ['string', 'null'],
        format: 'date-time',
        description: 'Since when no delivery succeeded; null when it was disabled for another reason.',
      },
    },
  }),
  sample: {
    connection: {
      id: '1043',
      type: 'webhook',
      name: 'Order system',
      status: 'disabled',
      status_reason: 'Every delivery failed for 5 days.',
    },
    occurred_at: '2026-04-02T12:00:00Z',
    failing_since: '2026-03-28T12:00:00Z',
  },
  internal: true,
};
