import { v5 as uuidFrom } from 'uuid';
import type { Recipient } from '../../domain/Recipient.js';
import { anyEventMapping } from './anyEventMapping.js';
import type { EventMapping } from './eventMapping.js';
import { eventTime } from './eventTime.js';
import type { KlaviyoEventBody } from './klaviyoEvent.js';
import { parcelEventMapping } from './parcelEventMapping.js';
import { profileAttributes, profileIdentifiers } from './profileIdentifiers.js';
import { createPropertyBag } from './propertyBag.js';

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
