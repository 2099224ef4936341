import type { ParcelData, ParcelEventDetails, ParcelEventLocation, ParcelEventPhase } from '../../events/types/parcelEvents.js';
import { addFlattened, type PropertyBag, readableName } from './propertyBag.js';

/**
 * Converts the data of an event type to a Klaviyo event. The data was validated when it was published, possibly against an older
 * schema, so a mapping leaves out what is missing and never throws.
 */
export interface EventMapping {
  /**
   * Returns the metric, which triggers flows in Klaviyo: under 128 characters. Never change it, because flows are built on it.
   */
  metricName(eventType: string, data: Readonly<Record<string, unknown>>): string;
  addProperties(bag: PropertyBag, data: Readonly<Record<string, unknown>>): void;
  /** Returns when the event happened according to its data: RFC 3339, not checked here. */
  occurredAt(data: Readonly<Record<string, unknown>>): unknown;
}

/** Klaviyo requires fewer than 128 characters. */
const MAX_METRIC_NAME = 127;

/** Maps event types without a mapping of their own: `connections.disabled` becomes the metric "Connections Disabled". */
export const anyEventMapping: EventMapping = {
  metricName: (eventType) => readableName(eventType).slice(0, MAX_METRIC_NAME),
  addProperties: (bag, data) => addFlattened(bag, data, [], { depth: 4, fields: 300 }),
  occurredAt: (data) => data.occurred_at,
};

/** Maps `parcels.event.created`: one metric for each phase. The exception is in the properties. */
export const parcelEventMapping: EventMapping = {
  metricName(_eventType, data) {
    const { phase } = eventOf(data);
    return typeof phase === 'string' && Object.hasOwn(parcelMetricNames, phase)
      ? parcelMetricNames[phase]
      : parcelMetricNames.unknown;
  },
  addProperties(bag, data) {
    addParcel(bag, objectOr<ParcelData>(data.parcel));
    const event = eventOf(data);
    addEvent(bag, event);
    addLocation(bag, objectOr<ParcelEventLocation>(event.location_details));
    // One level and 50 fields at most: the carrier decides the shape, and every new name stays in Klaviyo's menus forever.
    addFlattened(bag, objectOr(event.extra_data), ['Extra'], { depth: 1, fields: 50 });
  },
  occurredAt: (data) => eventOf(data).timestamp,
};

function addParcel(bag: PropertyBag, parcel: Partial<ParcelData>): void {
  bag.add('ParcelId', idText(parcel.parcel_id));
  bag.add('TrackingNumber', parcel.tracking_number);
  bag.add('Carrier', parcel.carrier_code);
  bag.add('AnnouncedAt', parcel.announced_at);
}

/** Adds the event's codes, which filters use as published, and readable names for the text of a message. */
function addEvent(bag: PropertyBag, event: Partial<ParcelEventDetails>): void {
  const hasException = event.exception !== undefined && event.exception !== 'none';
  bag.add('Phase', event.phase);
  bag.add('PhaseName', nameOf(event.phase));
  bag.add('Exception', event.exception);
  bag.add('ExceptionName', hasException ? nameOf(event.exception) : undefined);
  bag.add('HasException', hasException);
  bag.add('Status', event.status_type);
  bag.add('SubStatus', event.sub_status);
  bag.add('Description', event.description);
  bag.add('Source', event.event_type);
  bag.add('OccurredAt', event.timestamp);
  // Always set, because a filter "is false" does not match events without the property, and "your parcel was delivered" must not
  // be sent for returned parcels.
  bag.add('IsReturn', event.is_returned === true);
  bag.add('EndOfTracking', event.end_of_tracking === true);
  // Set only when known, because false and unknown differ here.
  bag.add('IsOffered', event.is_offered);
  bag.add('IsCarrierResponsible', event.is_carrier_responsible);
}

function addLocation(bag: PropertyBag, location: Partial<ParcelEventLocation>): void {
  bag.add('City', location.city);
  bag.add('Country', location.country);
  bag.add('PostalCode', location.postal_code);
  bag.add('Street', location.street);
  bag.add('HouseNumber', location.house_number);
  bag.add('ServicePointId', idText(location.service_point_id));
  bag.add('Depot', location.depot);
}

function eventOf(data: Readonly<Record<string, unknown>>): Partial<ParcelEventDetails> {
  return objectOr<ParcelEventDetails>(data.event);
}

function objectOr<T extends object>(value: unknown): Partial<T> {
  return value !== null && typeof value === 'object' ? (value as Partial<T>) : {};
}

function nameOf(code: unknown): string | undefined {
  return typeof code === 'string' ? readableName(code) : undefined;
}

/** Converts an id to text, because templates print numbers with separators or decimals. */
function idText(id: unknown): string | undefined {
  return typeof id === 'number' || typeof id === 'string' ? String(id) : undefined;
}

/**
 * The Klaviyo metric of each phase of a parcel. Never change a name: merchants build flows on it, and a changed name is a new
 * metric, so the flows on the old one silently stop. New names may be added.
 */
export const parcelMetricNames: Readonly<Record<ParcelEventPhase, string>> = {
  no_label: 'Parcel Without Label',
  ready_to_send: 'Parcel Ready To Send',
  announcing: 'Parcel Being Announced',
  announced: 'Parcel Announced',
  labelled: 'Parcel Labelled',
  dropped: 'Parcel Dropped Off',
  accepted: 'Parcel Accepted',
  sorted: 'Parcel Sorted',
  in_transit: 'Parcel In Transit',
  customs: 'Parcel In Customs',
  in_delivery: 'Parcel Out For Delivery',
  attempted: 'Parcel Delivery Attempted',
  pup: 'Parcel At Pickup Point',
  delivered: 'Parcel Delivered',
  delivery_forced: 'Parcel Delivery Forced',
  cancelled: 'Parcel Cancelled',
  // An update without a phase, such as a changed address.
  none: 'Parcel Updated',
  unknown: 'Parcel Status Unknown',
};
