import type { ParcelEventPhase } from '../../events/types/parcels/parcelEventChoices.js';

/**
 * The Klaviyo metric of each phase of a parcel. Merchants build flows on these names: a changed name is a new metric, and
 * the flows on the old one silently stop. New ones may come, none may change.
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
  // News without a phase, such as a changed address.
  none: 'Parcel Updated',
  unknown: 'Parcel Status Unknown',
};
