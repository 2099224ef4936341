import { anyEventMapping } from './anyEventMapping.js';
import type { EventMapping } from './eventMapping.js';
import { eventTime } from './eventTime.js';
import type { KlaviyoEventBody } from './klaviyoEvent.js';
import { parcelEventMapping } from './parcelEventMapping.js';
import { profileIdentifiers, type Recipient } from './profileIdentifiers.js';
import { createPropertyBag } from './propertyBag.js';

/** Event types with a mapping made for them; all others get the general one. */
const MAPPINGS: ReadonlyMap<string, EventMapping> = new Map([['parcels.event.created', parcelEventMapping]]);

export type KlaviyoEventInput = {
  /** Stable over retries: Klaviyo records a `unique_id` once, so a retry is never a second event. */
  deliveryId: string;
  eventType: string;
  /** Valid for the event type's schema. */
  data: Readonly<Record<string, unknown>>;
  recipient: Recipient | null | undefined;
  /** When the event was published. */
  createdAt: Date;
};

/** A refusal is permanent: the same event will be refused again. Its message is for the merchant and holds no personal data. */
export type KlaviyoEventResult =
  | { ok: true; body: KlaviyoEventBody }
  | { ok: false; code: 'recipient_missing' | 'recipient_invalid'; message: string };

/** An event as Klaviyo wants it. Pure: the same input is the same body, so a retry repeats the attempt before it exactly. */
export function toKlaviyoEvent({ deliveryId, eventType, data, recipient, createdAt }: KlaviyoEventInput): KlaviyoEventResult {
  const profile = profileIdentifiers(recipient);
  if (!profile.ok) return profile;

  const mapping = MAPPINGS.get(eventType) ?? anyEventMapping;
  const bag = createPropertyBag();
  mapping.addProperties(bag, data);
  return {
    ok: true,
    body: {
      data: {
        type: 'event',
        attributes: {
          properties: bag.properties,
          time: eventTime(mapping.occurredAt(data), createdAt),
          unique_id: deliveryId,
          metric: { data: { type: 'metric', attributes: { name: mapping.metricName(eventType, data) } } },
          profile: { data: { type: 'profile', attributes: profile.identifiers } },
        },
      },
    },
  };
}
