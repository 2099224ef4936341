import type { EventTypeDefinition, JsonSchema } from './eventTypeRegistry.js';

// The closed lists of values in the OpenAPI description, in its order.

/**
 * The source of the status: `event_type` inside `data.event` (schema parcel-event-type). Not one of this server's event types.
 */
export const parcelEventSources = ['carrier', 'internal', 'calculated', 'claim'] as const;
type ParcelEventSource = (typeof parcelEventSources)[number];

/** The phase of the parcel's transport (schema parcel-event-phase). `pup` is a pick-up point. */
export const parcelEventPhases = [
  'accepted',
  'announced',
  'announcing',
  'attempted',
  'cancelled',
  'customs',
  'delivered',
  'delivery_forced',
  'dropped',
  'in_delivery',
  'in_transit',
  'labelled',
  'none',
  'no_label',
  'pup',
  'ready_to_send',
  'sorted',
  'unknown',
] as const;
export type ParcelEventPhase = (typeof parcelEventPhases)[number];

/** What is unusual about the phase; `none` when nothing is (schema parcel-event-exception). */
export const parcelEventExceptions = [
  'address_error',
  'announcement_failed',
  'cancellation_failed',
  'cancelled',
  'cancelled_upstream',
  'cancelling',
  'cancelling_upstream',
  'changed',
  'claim',
  'claimable',
  'customer_rejected',
  'customer_support',
  'customs_issue',
  'damaged',
  'delay_unknown',
  'delivery_delay',
  'dropoff_expiration',
  'handover_delay',
  'hold',
  'missing',
  'none',
  'non_conformity',
  'off_radar',
  'pup_expiration',
  'refused',
  'relabelled',
  'returned_sender',
  'sorting_delay',
  'unknown',
] as const;
type ParcelEventException = (typeof parcelEventExceptions)[number];

/** The severity (schema parcel-event-status-type). */
export const parcelEventStatusTypes = ['error', 'success', 'warning'] as const;
type ParcelEventStatusType = (typeof parcelEventStatusTypes)[number];

/** Details within a phase and exception (schema parcel-event-sub-status). */
export const parcelEventSubStatuses = [
  'accepted',
  'additional_information',
  'carrier',
  'company_closed',
  'connection_missed',
  'content',
  'cut_off',
  'damaged',
  'delay',
  'delivery_change',
  'disposed',
  'documents',
  'duplicate',
  'expired',
  'high_volume',
  'inaccessible',
  'incorrect_information',
  'in_progress',
  'late',
  'locker',
  'mailbox',
  'max_measure',
  'max_weight',
  'mechanical',
  'misrouted',
  'missort',
  'neighbour',
  'none',
  'not_home',
  'not_ordered',
  'one',
  'packaging',
  'parcel_found',
  'partly',
  'passed',
  'payment',
  'postal_box',
  'prohibited_item',
  'pup',
  'pup_closed',
  'receiver',
  'rejected',
  'requested',
  'resolved',
  'safeplace',
  'sender',
  'shop',
  'signature',
  'three',
  'traffic',
  'two',
  'undeliverable',
  'unknown',
  'unknown_receiver',
  'updated',
  'weather_conditions',
] as const;
type ParcelEventSubStatus = (typeof parcelEventSubStatuses)[number];

// The following are types instead of interfaces, because only types are assignable to a record with any keys.

/** The parcel that an event is about (OpenAPI schema WebhookParcelData). */
export type ParcelData = {
  parcel_id: number;
  tracking_number?: string | null;
  /** The carrier's short code, such as `postnl`. */
  carrier_code: string;
  /** RFC 3339. */
  announced_at?: string | null;
};

/** The place of the event (OpenAPI schema WebhookLocationData). */
export type ParcelEventLocation = {
  city?: string | null;
  /** ISO 3166-1 alpha-2. */
  country?: string | null;
  house_number?: string | null;
  postal_code?: string | null;
  street?: string | null;
  service_point_id?: number | null;
  depot?: string | null;
};

/** The details of the event (OpenAPI schema WebhookEventData). Null means that the carrier did not report the value. */
export type ParcelEventDetails = {
  event_type: ParcelEventSource;
  /** RFC 3339: when it happened, possibly long before it was published. */
  timestamp: string;
  phase: ParcelEventPhase;
  exception: ParcelEventException;
  status_type: ParcelEventStatusType;
  sub_status: ParcelEventSubStatus;
  description?: string | null;
  end_of_tracking?: boolean | null;
  is_offered?: boolean | null;
  is_carrier_responsible?: boolean | null;
  is_returned?: boolean | null;
  location_details?: ParcelEventLocation | null;
  /** Free-form, with fields of the carrier's own. */
  extra_data?: Record<string, unknown> | null;
};

/** `data` of `parcels.event.created` (OpenAPI schema ParcelEventCreatedPayload). */
export type ParcelEventCreatedData = {
  parcel: ParcelData;
  event: ParcelEventDetails;
};

const optionalText = (description: string) => ({ type: ['string', 'null'], description });
const optionalFlag = (description: string) => ({ type: ['boolean', 'null'], description });

/** OpenAPI schema WebhookParcelData. */
const parcel = {
  type: 'object',
  description: 'Which parcel it is about.',
  required: ['parcel_id', 'carrier_code'],
  properties: {
    parcel_id: { type: 'integer', description: "The sender's number for the parcel." },
    tracking_number: optionalText("The carrier's number for the parcel; null before it has one."),
    carrier_code: { type: 'string', description: "The carrier's short code, such as dpd, dhl or postnl." },
    announced_at: { type: ['string', 'null'], format: 'date-time', description: 'When the carrier was told about the parcel.' },
  },
};

/**
 * OpenAPI schema WebhookLocationData, or null. The OpenAPI description uses `oneOf`. A list of types means the same, and reports
 * a mistake inside as one problem at its own place instead of one for each alternative.
 */
const location = {
  type: ['object', 'null'],
  description: 'Where it happened; null when the carrier does not tell.',
  properties: {
    city: optionalText('Town or city.'),
    country: optionalText('Two-letter country code of ISO 3166-1.'),
    house_number: optionalText('Number of the house in the street.'),
    postal_code: optionalText('Postal code.'),
    street: optionalText('Street, without the number.'),
    service_point_id: { type: ['integer', 'null'], description: 'Number of the service point, where one is involved.' },
    depot: optionalText("Name of the carrier's depot, where one is involved."),
  },
};

/** OpenAPI schema WebhookEventData. */
const event = {
  type: 'object',
  description: 'What happened to it.',
  required: ['event_type', 'timestamp', 'phase', 'exception', 'status_type', 'sub_status'],
  properties: {
    event_type: { type: 'string', enum: parcelEventSources, description: 'Where the news comes from.' },
    timestamp: { type: 'string', format: 'date-time', description: 'When it happened.' },
    phase: { type: 'string', enum: parcelEventPhases, description: 'How far the parcel is on its way.' },
    exception: { type: 'string', enum: parcelEventExceptions, description: 'What is unusual; none when all is as expected.' },
    status_type: { type: 'string', enum: parcelEventStatusTypes, description: 'How serious it is.' },
    sub_status: { type: 'string', enum: parcelEventSubStatuses, description: 'A detail within phase and exception.' },
    description: optionalText("The carrier's own words."),
    end_of_tracking: optionalFlag('True: nothing more will come for this parcel.'),
    is_offered: optionalFlag('True: somebody tried to hand the parcel over.'),
    is_carrier_responsible: optionalFlag('True: the carrier has to answer for it.'),
    is_returned: optionalFlag('True: the parcel is on its way back to the sender.'),
    location_details: location,
    extra_data: { type: ['object', 'null'], description: 'Whatever else the carrier tells, in its own shape.' },
  },
};

/**
 * `data` of OpenAPI schema ParcelEventCreatedPayload. Unknown fields are accepted everywhere, as in the OpenAPI description: a
 * publisher may be newer than this server, and a receiver must ignore unknown fields.
 */
const parcelEventCreatedSchema: JsonSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'ParcelEventCreatedData',
  description: 'A parcel, and what happened to it.',
  type: 'object',
  required: ['parcel', 'event'],
  properties: { parcel, event },
};

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
