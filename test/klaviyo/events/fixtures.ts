import { expect } from 'vitest';
import { parcelEventCreated } from '../../../src/events/types/parcels/parcelEventCreated.js';
import type { ParcelEventCreatedData, ParcelEventDetails } from '../../../src/events/types/parcels/parcelEventCreatedData.js';
import { type KlaviyoEventInput, toKlaviyoEvent } from '../../../src/klaviyo/events/toKlaviyoEvent.js';

export const CREATED_AT = new Date('2026-03-09T19:45:00Z');

/** The sample parcel, with another event. */
export function parcelData(event: Partial<ParcelEventDetails> = {}): ParcelEventCreatedData {
  const { sample } = parcelEventCreated;
  return { ...sample, event: { ...sample.event, ...event } };
}

export function inputOf(changes: Partial<KlaviyoEventInput> = {}): KlaviyoEventInput {
  return {
    deliveryId: 'dlv_1',
    eventType: 'parcels.event.created',
    data: parcelData(),
    recipient: { email: 'ann@example.com' },
    createdAt: CREATED_AT,
    ...changes,
  };
}

/** The attributes of the Klaviyo event that comes of an input. */
export function attributesOf(changes: Partial<KlaviyoEventInput> = {}) {
  const result = toKlaviyoEvent(inputOf(changes));
  if (!result.ok) return expect.unreachable(result.message);
  return result.body.data.attributes;
}

export function metricOf(changes: Partial<KlaviyoEventInput> = {}): string {
  return attributesOf(changes).metric.data.attributes.name;
}
