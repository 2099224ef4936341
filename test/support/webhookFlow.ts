import type { GraphQLClient } from './GraphQLClient.js';

/** Creates a webhook connection to a URL. Returns its id. */
export async function createWebhookConnection(client: GraphQLClient, url = 'https://hooks.example.com/parcels'): Promise<string> {
  const { createConnection } = await client.query(
    `mutation ($url: URL!) { createConnection(input: { type: WEBHOOK, webhook: { url: $url } }) { connection { id } userErrors { code message path } } }`,
    { url },
  );
  if (createConnection.userErrors.length > 0) throw new Error(JSON.stringify(createConnection.userErrors));
  return createConnection.connection.id;
}

const SUBSCRIBE = `mutation ($input: CreateSubscriptionInput!) {
  createSubscription(input: $input) { subscription { id eventType isActive connection { id } } userErrors { code message path } }
}`;

export async function trySubscribe(client: GraphQLClient, input: object) {
  return (await client.query(SUBSCRIBE, { input: { eventType: 'parcels.event.created', ...input } })).createSubscription;
}

/** Subscribes a connection to parcel events. Returns the subscription's id. */
export async function subscribe(client: GraphQLClient, connectionId: string, isActive = true): Promise<string> {
  return (await trySubscribe(client, { connectionId, isActive })).subscription.id;
}

const PUBLISH = `mutation ($input: PublishEventInput!) {
  publishEvent(input: $input) { event { id eventType payload idempotencyKey createdAt } duplicate userErrors { code message path } }
}`;

export async function tryPublish(client: GraphQLClient, input: object) {
  return (await client.query(PUBLISH, { input: { eventType: 'parcels.event.created', data: parcelEvent(), ...input } }))
    .publishEvent;
}

/** Publishes a parcel event. Returns its id. */
export async function publish(client: GraphQLClient, input: object = {}): Promise<string> {
  const { event, userErrors } = await tryPublish(client, input);
  if (userErrors.length > 0) throw new Error(JSON.stringify(userErrors));
  return event.id;
}

/** Returns data of a parcel event that satisfies its schema. */
export function parcelEvent(parcelId = 12_345_678) {
  return {
    parcel: { parcel_id: parcelId, tracking_number: '3SABC', carrier_code: 'dpd', announced_at: null },
    event: {
      event_type: 'carrier',
      timestamp: '2026-01-15T10:30:00Z',
      phase: 'in_transit',
      exception: 'none',
      status_type: 'success',
      sub_status: 'none',
    },
  };
}

const DELIVERIES = `query ($filter: DeliveryFilter) { deliveries(first: 100, filter: $filter) { totalCount edges { node {
  id status attemptCount nextAttemptAt event { id } subscription { id } connection { id }
  attempts { number trigger statusCode responseBody error { code destinationCode message } durationMs }
} } } }`;

export async function seeDeliveries(client: GraphQLClient, filter: object) {
  return (await client.query(DELIVERIES, { filter })).deliveries.edges.map(({ node }: { node: object }) => node);
}

/** Waits until the one delivery of an event has a status, and returns it. Fails after ten seconds. */
export async function waitForDelivery(client: GraphQLClient, eventId: string, status: string) {
  for (let tries = 0; ; tries += 1) {
    const [delivery] = await seeDeliveries(client, { eventId });
    if (delivery?.status === status) return delivery;
    if (tries === 200) throw new Error(`Waited for ${status}: ${JSON.stringify(delivery)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
