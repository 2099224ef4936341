import type { EventTypeDefinition } from '../eventTypeDefinition.js';
import type { ParcelEventCreatedData } from './parcelEventCreatedData.js';
import { parcelEventCreatedSchema } from './parcelEventCreatedSchema.js';

/** OpenAPI webhook ParcelEventCreated. */
export const parcelEventCreated: EventTypeDefinition<ParcelEventCreatedData> = {
  name: 'parcels.event.created',
  description:
    'Something happened to a parcel: it was announced, moved on, is out for delivery, arrived, was held up or comes back.',
  schema: parcelEventCreatedSchema,
  sample: {
    parcel: {
      parcel_id: 48210937,
      tracking_number: '3SABCD4821093',
      carrier_code: 'postnl',
      announced_at: '2026-03-09T08:12:00Z',
    },
    event: {
      event_type: 'carrier',
      timestamp: '2026-03-09T19:41:27Z',
      phase: 'in_transit',
      exception: 'none',
      status_type: 'success',
      sub_status: 'none',
      description: 'The parcel has left the sorting centre',
      end_of_tracking: false,
      is_offered: false,
      is_carrier_responsible: null,
      is_returned: false,
      location_details: {
        city: 'Utrecht',
        country: 'NL',
        house_number: null,
        postal_code: null,
        street: null,
        service_point_id: null,
        depot: 'Utrecht Lage Weide',
      },
      extra_data: null,
    },
  },
};
