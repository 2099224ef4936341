import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import type { GraphQLClient } from '../../support/GraphQLClient.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { createWebhookConnection, publish, seeDeliveries, subscribe, waitForDelivery } from '../../support/webhookFlow.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard({ DELIVERY_RETRY_DELAYS: '50ms,50ms' });
});
afterAll(() => switchboard.close());

/** Creates an inbox of the sandbox with a connection and a subscription. */
async function inbox(name: string, client: GraphQLClient = switchboard.client) {
  const connectionId = await createWebhookConnection(client, `${switchboard.publicUrl}/sandbox/inbox/${name}`);
  const subscriptionId = await subscribe(client, connectionId);
  const behave = (behaviour: object) => switchboard.sandbox?.inbox.setBehaviour(name, behaviour as never);
  return { connectionId, subscriptionId, behave, requests: () => switchboard.sandbox?.inbox.requests(name) ?? [] };
}

const RETRY = `mutation ($id: ID!) { retryDelivery(input: { deliveryId: $id }) { delivery { id status } userErrors { code path message } } }`;
const REPLAY = `mutation ($id: ID!, $since: DateTime!) {
  replayDeliveries(input: { connectionId: $id, since: $since }) { count userErrors { code path } }
}`;
const BROADCAST = `mutation ($id: ID!) { broadcastTestEvent(input: { subscriptionId: $id }) {
  result { success statusCode responseBody durationMs error { code message } } userErrors { code path }
} }`;

describe('Deliveries through the API', () => {
  it('are retried on schedule until they are FAILED, with every attempt on record', async () => {
    const { behave } = await inbox('failing');
    behave({ answer: 'error' });
    const delivery = await waitForDelivery(switchboard.client, await publish(switchboard.client), 'FAILED');
    expect(
      delivery.attempts.map(({ number, statusCode }: { number: number; statusCode: number }) => [number, statusCode]),
    ).toEqual([
      [1, 500],
      [2, 500],
      [3, 500],
    ]);
    expect(delivery.nextAttemptAt).toBeNull();
  });

  it('can be retried by hand; attempt numbers continue, and the delivery arrives', async () => {
    const client = await switchboard.anotherOrganization();
    const { behave, requests } = await inbox('by-hand', client);
    behave({ answer: 'error', times: 3 });
    const { id } = await waitForDelivery(client, await publish(client), 'FAILED');
    expect((await client.query(RETRY, { id })).retryDelivery.userErrors).toEqual([]);
    const [{ event }] = await seeDeliveries(client, {});
    const delivery = await waitForDelivery(client, event.id, 'DELIVERED');
    expect(delivery.attempts.at(-1)).toMatchObject({ number: 4, trigger: 'MANUAL', statusCode: 200 });
    expect(new Set(requests().map(({ headers }) => headers['webhook-id']))).toEqual(new Set([id]));
  });

  it('that failed since a time are replayed together', async () => {
    const client = await switchboard.anotherOrganization();
    const { connectionId, behave, requests } = await inbox('replay', client);
    behave({ answer: 'error' });
    const since = new Date(Date.now() - 1_000).toISOString();
    const events = [await publish(client), await publish(client), await publish(client)];
    for (const event of events) await waitForDelivery(client, event, 'FAILED');
    behave({ answer: 'ok' });
    const before = requests().length;
    expect((await client.query(REPLAY, { id: connectionId, since })).replayDeliveries).toEqual({ count: 3, userErrors: [] });
    for (const event of events) await waitForDelivery(client, event, 'DELIVERED');
    expect(requests().length - before).toBe(3);
  });

  it('can be found by status, connection, subscription, event, type and time', async () => {
    const client = await switchboard.anotherOrganization();
    const one = await inbox('found-one', client);
    const two = await inbox('found-two', client);
    const event = await publish(client);
    await Promise.all(
      [one, two].map(async ({ connectionId }) => {
        for (
          let tries = 0;
          tries < 100 && (await seeDeliveries(client, { connectionId, status: 'DELIVERED' })).length === 0;
          tries += 1
        ) {
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }),
    );
    const count = async (filter: object) => (await seeDeliveries(client, filter)).length;
    expect(await count({ eventId: event })).toBe(2);
    expect(await count({ connectionId: one.connectionId })).toBe(1);
    expect(await count({ subscriptionId: two.subscriptionId, status: 'DELIVERED' })).toBe(1);
    expect(await count({ eventType: 'parcels.event.created' })).toBe(2);
    expect(await count({ status: 'FAILED' })).toBe(0);
    expect(await count({ createdAfter: new Date(Date.now() + 60_000).toISOString() })).toBe(0);
    expect(await count({ createdBefore: new Date(Date.now() + 60_000).toISOString() })).toBe(2);
    expect(await count({ eventId: 'nonsense' })).toBe(0);
  });

  it('are refused with the name of an unknown filter, a cursor of another list and a page that is too large', async () => {
    const { client } = switchboard;
    const unknown = await client.send('{ deliveries(filter: { colour: "red" }) { totalCount } }');
    expect(unknown).toMatchObject({ status: 400, errors: [{ message: expect.stringContaining('colour') }] });
    const { connections } = await client.query('{ connections(first: 1) { pageInfo { endCursor } } }');
    const foreign = await client.send('query ($after: String) { deliveries(after: $after) { totalCount } }', {
      after: connections.pageInfo.endCursor,
    });
    expect(foreign).toMatchObject({
      status: 400,
      errors: [{ extensions: { code: 'BAD_USER_INPUT' }, message: expect.stringContaining('"after"') }],
    });
    expect(await client.send('{ deliveries(first: 1000) { totalCount } }')).toMatchObject({
      status: 400,
      errors: [{ message: expect.stringContaining('"first"') }],
    });
  });

  it('hold while a connection is turned off, and go out in their order when it is on again', async () => {
    const client = await switchboard.anotherOrganization();
    const { connectionId, requests } = await inbox('switch', client);
    const turn = (isEnabled: boolean) =>
      client.query(
        'mutation ($i: UpdateConnectionInput!) { updateConnection(input: $i) { connection { status isEnabled statusReason statusReasonCode } userErrors { code } } }',
        {
          i: { id: connectionId, isEnabled },
        },
      );
    expect((await turn(false)).updateConnection.connection).toEqual({
      ...{ status: 'DISABLED', isEnabled: false },
      ...{ statusReason: 'It was turned off.', statusReasonCode: 'SWITCHED_OFF' },
    });
    const events = [await publish(client), await publish(client), await publish(client)];
    for (const event of events) await waitForDelivery(client, event, 'HELD');
    expect(requests()).toEqual([]);
    expect((await turn(true)).updateConnection.connection).toEqual({
      ...{ status: 'ACTIVE', isEnabled: true },
      ...{ statusReason: null, statusReasonCode: null },
    });
    for (const event of events) await waitForDelivery(client, event, 'DELIVERED');
  });

  it('answering 410 disable the connection with a reason', async () => {
    const client = await switchboard.anotherOrganization();
    const { connectionId, behave } = await inbox('gone', client);
    behave({ answer: 'gone' });
    await waitForDelivery(client, await publish(client), 'FAILED');
    // The connection's health is written a moment after the result.
    await eventually(async () => {
      const { connection } = await client.query(
        'query ($id: ID!) { connection(id: $id) { status isEnabled statusReason statusReasonCode } }',
        {
          id: connectionId,
        },
      );
      expect(connection).toEqual({
        ...{ status: 'DISABLED', isEnabled: false },
        ...{ statusReason: expect.stringContaining('410'), statusReasonCode: 'GONE' },
      });
    });
  });
});

describe('broadcastTestEvent (OpenAPI test_broadcast)', () => {
  it('returns the destination’s response, and is on record as TEST', async () => {
    const client = await switchboard.anotherOrganization();
    const { subscriptionId, behave } = await inbox('test', client);
    expect((await client.query(BROADCAST, { id: subscriptionId })).broadcastTestEvent).toMatchObject({
      result: { success: true, statusCode: 200, error: null, durationMs: expect.any(Number) },
      userErrors: [],
    });
    behave({ answer: 'error' });
    expect((await client.query(BROADCAST, { id: subscriptionId })).broadcastTestEvent.result).toMatchObject({
      success: false,
      statusCode: 500,
    });
    const deliveries = await seeDeliveries(client, { subscriptionId });
    expect(
      deliveries.map(({ status, attempts }: { status: string; attempts: { trigger: string }[] }) => [
        status,
        attempts[0]?.trigger,
      ]),
    ).toEqual([
      ['FAILED', 'TEST'],
      ['DELIVERED', 'TEST'],
    ]);
  });

  it('says why there was no response, and works for a paused subscription', async () => {
    const client = await switchboard.anotherOrganization();
    const id = await subscribe(client, await createWebhookConnection(client, 'http://127.0.0.1:9/'), false);
    expect((await client.query(BROADCAST, { id })).broadcastTestEvent.result).toMatchObject({
      success: false,
      statusCode: null,
      error: { code: 'CONNECTION_REFUSED', message: expect.any(String) },
    });
    expect((await client.query(BROADCAST, { id: '999999' })).broadcastTestEvent.userErrors).toEqual([
      { code: 'NOT_FOUND', path: ['subscriptionId'] },
    ]);
  });
});
