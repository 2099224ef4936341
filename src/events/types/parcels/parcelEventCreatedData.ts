import type {
  ParcelEventException,
  ParcelEventPhase,
  ParcelEventSource,
  ParcelEventStatusType,
  ParcelEventSubStatus,
} from './parcelEventChoices.js';

// Types, not interfaces: only types can be used where a record with any keys is wanted, and more fields may come.

/** The parcel that an event is about (OpenAPI schema WebhookParcelData). */
export type ParcelData = {
  parcel_id: number;
  tracking_number?: string | null;
  /** The carrier's short code, such as `postnl`. */
  carrier_code: string;
  /** RFC 3339. */
  announced_at?: string | null;
};

/** Where it happened (OpenAPI schema WebhookLocationData). */
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

/** What happened (OpenAPI schema WebhookEventData). A null says that the carrier doesn't tell. */
export type ParcelEventDetails = {
  event_type: ParcelEventSource;
  /** RFC 3339: when it happened, which may be long before it was published. */
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
  /** Free-form; each carrier has its own. */
  extra_data?: Record<string, unknown> | null;
};

/** `data` of `parcels.event.created` (OpenAPI schema ParcelEventCreatedPayload). */
export type ParcelEventCreatedData = {
  parcel: ParcelData;
  event: ParcelEventDetails;
};
