import type { JsonSchema } from '../eventTypeDefinition.js';
import {
  parcelEventExceptions,
  parcelEventPhases,
  parcelEventSources,
  parcelEventStatusTypes,
  parcelEventSubStatuses,
} from './parcelEventChoices.js';

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
 * OpenAPI schema WebhookLocationData, or null. The document says so by `oneOf`; a list of types means the same, and a
 * mistake inside is then one problem at its own place instead of one for each alternative.
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
 * `data` of OpenAPI schema ParcelEventCreatedPayload. Fields that it doesn't know are accepted everywhere, as the document
 * accepts them: a publisher may be newer than this server, and a receiver must ignore what it doesn't know.
 */
export const parcelEventCreatedSchema: JsonSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'ParcelEventCreatedData',
  description: 'A parcel, and what happened to it.',
  type: 'object',
  required: ['parcel', 'event'],
  properties: { parcel, event },
};
