import type { GraphQLClient } from '../../support/GraphQLClient.js';
import { parcelEvent } from '../../support/webhookFlow.js';

const PUBLISH = `mutation ($events: [PublishEventInput!]!) {
  publishEvents(input: { events: $events }) { userErrors { code message path } }
}`;
const AT_ONCE = 500;

/** Publishes parcel events numbered from `from` to before `to`, each with a recipient of its own. */
export async function publishParcels(client: GraphQLClient, from: number, to: number): Promise<void> {
  for (let first = from; first < to; first += AT_ONCE) {
    const events = Array.from({ length: Math.min(AT_ONCE, to - first) }, (_, index) => ({
      eventType: 'parcels.event.created',
      data: parcelEvent(first + index),
      recipient: { email: `customer.${first + index}@example.com` },
    }));
    const { publishEvents } = await client.query(PUBLISH, { events });
    if (publishEvents.userErrors.length > 0) throw new Error(JSON.stringify(publishEvents.userErrors));
  }
}

/** Returns the parcel's number of a Klaviyo event. */
export function parcelNumber(properties: Readonly<Record<string, unknown>>): number {
  return Number(properties.ParcelId);
}
