import { expect } from 'vitest';
import {
  type ParcelEventCreatedData,
  type ParcelEventDetails,
  parcelEventCreated,
} from '../../../src/events/types/parcelEvents.js';
import { type KlaviyoEventInput, toKlaviyoEvent } from '../../../src/klaviyo/events/toKlaviyoEvent.js';

export const CREATED_AT = new Date('2026-03-09T19:45:00Z');

export const EVENT_ID = '019a0000-0000-7000-8000-000000000001';

/** Returns the sample parcel with another event. */
export function parcelData(event: Partial<ParcelEventDetails> = {}): ParcelEventCreatedData {
  const { sample } = parcelEventCreated;
  return { ...sample, event: { ...sample.event, ...event } };
}

export function inputOf(changes: Partial<KlaviyoEventInput> = {}): KlaviyoEventInput {
  return {
    eventId: EVENT_ID,
    account: 'AbC123',
    eventType: 'parcels.event.created',
    data: parcelData(),
    recipient: { email: 'ann@example.com' },
    createdAt: CREATED_AT,
    ...{ occurredAt: null, value: null, valueCurrency: null, properties: null, isTest: false },
    nowMs: CREATED_AT.getTime() + 60_000,
    backfillAfterMs: 86_400_000,
    ...changes,
  };
}

/** Returns the attributes of the Klaviyo event for an input. */
export function attributesOf(changes: Partial<KlaviyoEventInput> = {}) {
  const result = toKlaviyoEvent(inputOf(changes));
  if (!result.ok) return expect.unreachable(result.message);
  return result.body.data.attributes;
}

export function metricOf(changes: Partial<KlaviyoEventInput> = {}): string {
  return attributesOf(changes).metric.data.attributes.name;
}
