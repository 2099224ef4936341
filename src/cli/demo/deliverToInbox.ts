import { setTimeout as sleep } from 'node:timers/promises';
import { type DemoClient, expectThat } from './DemoClient.js';

const PUBLISH = `mutation ($input: PublishEventInput!) {
  publishEvent(input: $input) { event { id } duplicate userErrors { code message path } }
}`;

const DELIVERIES = `query ($event: ID!) { deliveries(filter: { eventId: $event }) { edges { node {
  status attempts { number trigger statusCode durationMs }
} } } }`;

/** Publishes events to a webhook, the second one to a receiver that fails once, and shows every attempt. */
export async function deliverToInbox(client: DemoClient): Promise<void> {
  const inbox = `${client.publicUrl}/sandbox/inbox/demo`;
  const control = `${client.publicUrl}/sandbox/inbox-control/demo`;

  client.step('Create a webhook connection and subscribe it to parcel events');
  const { connection } = await client.call(
    'mutation ($url: URL!) { createConnection(input: { configuration: { webhook: { url: $url } } }) { connection { id status } userErrors { code message } } }',
    { url: inbox },
  );
  const { signingSecret } = await client.call(
    'mutation ($id: ID!) { revealSigningSecret(input: { connectionId: $id }) { signingSecret userErrors { code message } } }',
    { id: connection.id },
  );
  await fetch(control, { method: 'POST', body: new URLSearchParams({ action: 'secret', secret: signingSecret }) });
  await client.call(
    `mutation ($id: ID!) { createSubscription(input: { connectionId: $id, eventType: "parcels.event.created" })
       { subscription { id } userErrors { code message } } }`,
    { id: connection.id },
  );
  client.say(`Connection ${connection.id} is ${connection.status}; its receiver knows the signing secret.`);

  client.step('Publish an event');
  const sample = (await client.call('{ eventTypes { name sample } }')).find(
    ({ name }: { name: string }) => name === 'parcels.event.created',
  );
  const publish = (idempotencyKey: string) =>
    client.call(PUBLISH, { input: { eventType: sample.name, data: sample.sample, idempotencyKey } });
  const first = await publish('demo-1');
  await follow(client, first.event.id);
  const again = await publish('demo-1');
  client.say(`Published again with the same idempotency key: duplicate ${again.duplicate}, the same event.`);
  expectThat(again.duplicate && again.event.id === first.event.id, 'the same event to come back');

  client.step('Publish another, while the receiver fails once');
  await fetch(control, { method: 'POST', body: new URLSearchParams({ action: 'behaviour', answer: 'error', times: '1' }) });
  const attempts = await follow(client, (await publish('demo-2')).event.id);
  expectThat(attempts === 2, `one retry, not ${attempts} attempts`);

  client.step('What the receiver saw');
  const seen = (await (await fetch(control)).json()) as { requests: { answered: number; signature: { verdict: string } }[] };
  for (const { answered, signature } of seen.requests)
    client.say(`a delivery, signature ${signature.verdict}, answered ${answered}`);
  expectThat(
    seen.requests.length === 3 && seen.requests.every(({ signature }) => signature.verdict === 'valid'),
    'three signed requests',
  );
}

/** Waits until an event is delivered, shows its attempts and returns their number. */
async function follow(client: DemoClient, event: string): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const { edges } = await client.call(DELIVERIES, { event });
    const [delivery] = edges.map(({ node }: { node: object }) => node);
    if (delivery?.status === 'DELIVERED') {
      for (const { number, trigger, statusCode, durationMs } of delivery.attempts) {
        client.say(`attempt ${number} (${trigger}): HTTP ${statusCode} after ${durationMs} ms`);
      }
      client.say('DELIVERED');
      return delivery.attempts.length;
    }
    await sleep(100);
  }
  throw new Error('The event was not delivered within ten seconds.');
}
