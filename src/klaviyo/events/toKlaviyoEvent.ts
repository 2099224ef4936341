import { v5 as uuidFrom } from 'uuid';
import type { Recipient } from '../../domain/Recipient.js';
import { anyEventMapping, parcelEventMapping } from './eventMappings.js';
import { profileAttributes, profileIdentifiers } from './profileIdentifiers.js';
import { createPropertyBag, type PropertyBag } from './propertyBag.js';

/** What Klaviyo's flow builder can filter on and its templates can print: no nested objects, no lists, no nulls. */
export type KlaviyoPropertyValue = string | number | boolean;

/** At least one of them; Klaviyo finds or makes the profile by it. */
export type KlaviyoProfileIdentifiers = {
  email?: string;
  /** E.164. */
  phone_number?: string;
  external_id?: string;
  anonymous_id?: string;
};

/** What Klaviyo learns of the person besides. */
export type KlaviyoProfile = KlaviyoProfileIdentifiers & {
  first_name?: string;
  last_name?: string;
  /** BCP 47. */
  locale?: string;
};

/** The body of Klaviyo's `POST /api/events` (operation create_event, JSON:API). */
export type KlaviyoEventBody = {
  data: {
    type: 'event';
    attributes: {
      properties: Record<string, KlaviyoPropertyValue>;
      /** RFC 3339, in UTC. */
      time: string;
      value?: number;
      /** ISO 4217. */
      value_currency?: string;
      /** True: recorded, but triggers no flow. */
      backfill?: true;
      /** With the profile and the metric, what Klaviyo recognizes a repetition by. */
      unique_id: string;
      metric: { data: { type: 'metric'; attributes: { name: string } } };
      profile: { data: { type: 'profile'; attributes: KlaviyoProfile } };
    };
  };
};

/**
 * How the data of an event type becomes a Klaviyo event. Data was validated when it was published, possibly against an
 * older schema: a mapping leaves out what it doesn't find and never throws.
 */
export interface EventMapping {
  /** What triggers a flow in Klaviyo: under 128 characters, and the same for ever, because flows are built on it. */
  metricName(eventType: string, data: Readonly<Record<string, unknown>>): string;
  addProperties(bag: PropertyBag, data: Readonly<Record<string, unknown>>): void;
  /** When it happened, if the data says so: RFC 3339, not checked here. */
  occurredAt(data: Readonly<Record<string, unknown>>): unknown;
}

/** Event types with a mapping made for them; all others get the general one. */
const MAPPINGS: ReadonlyMap<string, EventMapping> = new Map([['parcels.event.created', parcelEventMapping]]);

export type KlaviyoEventInput = {
  /** The event's id, a UUID. */
  eventId: string;
  /** Which Klaviyo account it goes to. */
  account: string;
  eventType: string;
  /** Valid for the event type's schema. */
  data: Readonly<Record<string, unknown>>;
  recipient: Recipient | null | undefined;
  /** When the event was published. */
  createdAt: Date;
  /** When it happened, where the publisher said so: goes before what the data says. */
  occurredAt: Date | null;
  value: number | null;
  valueCurrency: string | null;
  /** The publisher's own, as they are named. */
  properties: Readonly<Record<string, unknown>> | null;
  /** A sample that somebody wants to see arrive. */
  isTest: boolean;
  /** The time at which it is sent, in ms since 1970, and the age in ms from which on it triggers no flow. */
  nowMs: number;
  backfillAfterMs: number;
};

/** A refusal is permanent: the same event will be refused again. Its message is for the merchant and holds no personal data. */
export type KlaviyoEventResult =
  | { ok: true; body: KlaviyoEventBody }
  | { ok: false; code: 'recipient_missing' | 'recipient_invalid'; message: string };

/** A test's metric: no merchant's flow begins with it unless it was made for tests. */
const TEST_METRIC = 'Switchboard Test';

/**
 * An event as Klaviyo wants it. Pure. A retry repeats the attempt before it but for `backfill`, which becomes true when the
 * event has grown old between the two. That is harmless: Klaviyo records a `unique_id` once, so that where the first attempt
 * had arrived, the second one changes nothing, and where it had not, the event is old and shall trigger nothing.
 */
export function toKlaviyoEvent(input: KlaviyoEventInput): KlaviyoEventResult {
  const { eventType, data, recipient, createdAt, occurredAt, value, valueCurrency, isTest } = input;
  const profile = profileIdentifiers(recipient);
  if (!profile.ok) return profile;

  const mapping = MAPPINGS.get(eventType) ?? anyEventMapping;
  const bag = createPropertyBag();
  // The first of two with one name stays.
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
 * A UUID (version 5) of the event and the account: stable over retries and replays, and the same for every connection and
 * subscription that leads to the account. Klaviyo records it once.
 */
function uniqueId({ eventId, account }: Pick<KlaviyoEventInput, 'eventId' | 'account'>): string {
  return uuidFrom(account, eventId);
}

/** Klaviyo takes times after 2000. */
const EARLIEST = Date.parse('2000-01-02T00:00:00Z');
/** And at most a year ahead. Milliseconds. */
const FURTHEST_AHEAD = 365 * 24 * 60 * 60 * 1000;

/**
 * The `time` of a Klaviyo event, in UTC: when it happened, or when it was published if that is unknown or a time that Klaviyo
 * would refuse the event for (a carrier's clock, a date of 1970). A year ahead is counted from publishing, which is earlier
 * than sending, and keeps the answer the same for every retry.
 */
export function eventTime(occurredAt: unknown, createdAt: Date): string {
  const time = typeof occurredAt === 'string' ? Date.parse(occurredAt) : Number.NaN;
  const usable = time >= EARLIEST && time <= createdAt.getTime() + FURTHEST_AHEAD;
  return (usable ? new Date(time) : createdAt).toISOString().replace('.000Z', 'Z');
}
