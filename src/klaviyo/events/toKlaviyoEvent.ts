import { v5 as uuidFrom } from 'uuid';
import type { Recipient } from '../../domain/Recipient.js';
import { anyEventMapping, type EventMapping, parcelEventMapping } from './eventMappings.js';
import type { KlaviyoEventBody } from './KlaviyoEvent.js';
import { profileAttributes, profileIdentifiers } from './profileIdentifiers.js';
import { createPropertyBag } from './propertyBag.js';

/** Event types with a mapping of their own. All others get the general one. */
const MAPPINGS: ReadonlyMap<string, EventMapping> = new Map([['parcels.event.created', parcelEventMapping]]);

export type KlaviyoEventInput = {
  /** The event's id, a UUID. */
  eventId: string;
  /** Id of the Klaviyo account that receives the event. */
  account: string;
  eventType: string;
  /** Valid according to the event type's schema. */
  data: Readonly<Record<string, unknown>>;
  recipient: Recipient | null | undefined;
  /** When the event was published. */
  createdAt: Date;
  /** When the event happened, if the publisher said so. Takes precedence over the data. */
  occurredAt: Date | null;
  value: number | null;
  valueCurrency: string | null;
  /** The publisher's own properties, with their names unchanged. */
  properties: Readonly<Record<string, unknown>> | null;
  /** True for the sample event of a test broadcast. */
  isTest: boolean;
  /** The time of sending in ms since 1970, and the age in ms from which on the event triggers no flow. */
  nowMs: number;
  backfillAfterMs: number;
};

/** A refusal is permanent. Its message is for the merchant and contains no personal data. */
export type KlaviyoEventResult =
  | { ok: true; body: KlaviyoEventBody }
  | { ok: false; code: 'recipient_missing' | 'recipient_invalid'; message: string };

/** The metric of a test. It triggers only flows that were made for tests. */
const TEST_METRIC = 'Switchboard Test';

/**
 * Converts an event to Klaviyo's body. Pure. A retry sends the same body as the attempt before, except for `backfill`, which
 * becomes true when the event has grown old in between. That is harmless, because Klaviyo records a `unique_id` once: if the
 * first attempt arrived, the second one changes nothing; if it did not, the event is old and must trigger no flow.
 */
export function toKlaviyoEvent(input: KlaviyoEventInput): KlaviyoEventResult {
  const { eventType, data, recipient, createdAt, occurredAt, value, valueCurrency, isTest } = input;
  const profile = profileIdentifiers(recipient);
  if (!profile.ok) return profile;

  const mapping = MAPPINGS.get(eventType) ?? anyEventMapping;
  const bag = createPropertyBag();
  // The bag keeps the first of two properties with one name.
  if (isTest) bag.add('Test', true);
  for (const [name, property] of Object.entries(input.properties ?? {})) bag.add(name, property);
  mapping.addProperties(bag, data);
  // A test happens now, whatever its sample says.
  const time = isTest ? createdAt : (occurredAt ?? mapping.occurredAt(data));
  const happenedAt = eventTime(time instanceof Date ? time.toISOString() : time, createdAt);
  const isOld = !isTest && input.nowMs - Date.parse(happenedAt) > input.backfillAfterMs;
  return {
    ok: true,
    body: {
      data: {
        type: 'event',
        attributes: {
          properties: bag.properties,
          time: happenedAt,
          ...(value === null ? {} : { value }),
          ...(value === null || valueCurrency === null ? {} : { value_currency: valueCurrency }),
          ...(isOld ? { backfill: true as const } : {}),
          unique_id: uniqueId(input),
          metric: { data: { type: 'metric', attributes: { name: isTest ? TEST_METRIC : mapping.metricName(eventType, data) } } },
          profile: { data: { type: 'profile', attributes: { ...profile.identifiers, ...profileAttributes(recipient ?? {}) } } },
        },
      },
    },
  };
}

/**
 * Returns a UUID (version 5) of the event and the account. It is stable over retries and replays, and the same for all
 * connections and subscriptions to one account, so Klaviyo records the event once.
 */
function uniqueId({ eventId, account }: Pick<KlaviyoEventInput, 'eventId' | 'account'>): string {
  return uuidFrom(account, eventId);
}

/** Klaviyo accepts times after 2000. */
const EARLIEST = Date.parse('2000-01-02T00:00:00Z');
/** Klaviyo accepts times at most a year ahead. Milliseconds. */
const FURTHEST_AHEAD = 365 * 24 * 60 * 60 * 1000;

/**
 * Returns the `time` of a Klaviyo event, in UTC: when it happened, or when it was published if that is unknown or Klaviyo would
 * refuse it (a carrier's wrong clock, a date of 1970). The year ahead is counted from publishing, which is earlier than sending,
 * so the result is the same for every retry.
 */
export function eventTime(occurredAt: unknown, createdAt: Date): string {
  const time = typeof occurredAt === 'string' ? Date.parse(occurredAt) : Number.NaN;
  const usable = time >= EARLIEST && time <= createdAt.getTime() + FURTHEST_AHEAD;
  return (usable ? new Date(time) : createdAt).toISOString().replace('.000Z', 'Z');
}
