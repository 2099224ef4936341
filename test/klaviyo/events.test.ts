import { v5 as uuidFrom } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import {
  connectKlaviyo,
  createKlaviyoConnection,
  decideAtKlaviyo,
  seeConnection,
  startKlaviyoAuthorization,
} from '../support/klaviyoFlow.js';
import { openCallback } from '../support/openCallback.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { publish, seeDeliveries, subscribe, waitForDelivery } from '../support/webhookFlow.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard({ DELIVERY_RETRY_DELAYS: '100ms,100ms,100ms' });
});
afterAll(() => switchboard.close());

/** Creates an organization with an ACTIVE Klaviyo connection to an account of its own, subscribed to parcel events. */
async function linked() {
  const client = await switchboard.anotherOrganization();
  const klaviyo = switchboard.sandbox?.klaviyo;
  if (!klaviyo) throw new Error('No sandbox.');
  const account = klaviyo.addAccount({ name: 'A shop' }).id;
  const connectionId = await connectKlaviyo(client, account);
  await subscribe(client, connectionId);
  return { client, klaviyo, account, connectionId };
}

const recipient = { email: 'anna@example.com' };

describe('A parcel event in Klaviyo (POST /api/events)', () => {
  it('has a metric for its phase, flat properties, the time it happened and the recipient as profile', async () => {
    const { client, klaviyo, account } = await linked();
    const eventId = await publish(client, { recipient });
    await waitForDelivery(client, eventId, 'DELIVERED');
    const [arrived, ...others] = klaviyo.events(account);
    expect(others).toHaveLength(0);
    expect(arrived?.metric).toBe('Parcel In Transit');
    expect(arrived?.profile).toMatchObject({ email: 'anna@example.com' });
    expect(arrived?.properties).toMatchObject({ TrackingNumber: '3SABC', Phase: 'in_transit', HasException: false });
    expect(new Date(arrived?.time ?? '').toISOString()).toBe('2026-01-15T10:30:00.000Z');
    // It happened long before it was published, so it must trigger no flow.
    expect(arrived).toMatchObject({ backfill: true, uniqueId: uuidFrom(account, eventId) });
  });

  it('has the publisher’s optional fields: occurredAt, value, recipient, properties', async () => {
    const { client, klaviyo, account } = await linked();
    const occurredAt = new Date(Date.now() - 60_000).toISOString();
    const eventId = await publish(client, {
      recipient: { ...recipient, externalId: 'c-1', anonymousId: 'a-1', firstName: 'Anna', lastName: 'Berg', locale: 'nl-NL' },
      ...{ occurredAt, value: 24.5, valueCurrency: 'EUR', properties: { 'Order number': 'A-1001', Gift: true, Phase: 'own' } },
    });
    await waitForDelivery(client, eventId, 'DELIVERED');
    const [arrived] = klaviyo.events(account);
    expect(arrived).toMatchObject({
      ...{ value: 24.5, valueCurrency: 'EUR' },
      profile: {
        ...{ email: 'anna@example.com', external_id: 'c-1', anonymous_id: 'a-1' },
        ...{ first_name: 'Anna', last_name: 'Berg', locale: 'nl-NL' },
      },
      properties: { 'Order number': 'A-1001', Gift: true, Phase: 'own', TrackingNumber: '3SABC' },
    });
    expect(arrived?.backfill).toBeUndefined();
    expect(new Date(arrived?.time ?? '').toISOString()).toBe(occurredAt);
  });

  it('that is sent through two connections to the same account is recorded there once', async () => {
    const { client, klaviyo, account } = await linked();
    await subscribe(client, await connectKlaviyo(client, account));
    const eventId = await publish(client, { recipient });
    await eventually(async () => {
      const statuses = (await seeDeliveries(client, { eventId })).map(({ status }: { status: string }) => status);
      expect(statuses).toEqual(['DELIVERED', 'DELIVERED']);
    });
    expect(klaviyo.eventTotals(account)).toEqual({ recorded: 1, duplicates: 1 });
  });

  it('of a test broadcast has a metric of its own, a mark, and the recipient that the caller names', async () => {
    const { client, klaviyo, account, connectionId } = await linked();
    const { connection } = await client.query(
      'query ($id: ID!) { connection(id: $id) { subscriptions { edges { node { id } } } } }',
      { id: connectionId },
    );
    const broadcast = async (to?: object) =>
      (
        await client.query(
          `mutation ($input: BroadcastTestEventInput!) {
            broadcastTestEvent(input: $input) { result { success } userErrors { code path } } }`,
          { input: { subscriptionId: connection.subscriptions.edges[0].node.id, recipient: to } },
        )
      ).broadcastTestEvent;
    expect(await broadcast({ email: 'me@example.com', firstName: 'Me' })).toMatchObject({ result: { success: true } });
    expect(await broadcast()).toMatchObject({ result: { success: true } });
    expect(await broadcast({ firstName: 'Nobody' })).toEqual({
      result: null,
      userErrors: [{ code: 'REQUIRED', path: ['recipient'] }],
    });
    const arrived = klaviyo.events(account);
    expect(arrived.map(({ metric, properties, backfill }) => [metric, properties.Test, backfill])).toEqual([
      ['Switchboard Test', true, undefined],
      ['Switchboard Test', true, undefined],
    ]);
    expect(arrived.map(({ profile }) => profile.email).sort()).toEqual(['me@example.com', 'switchboard-test@example.com']);
  });

  it('without a recipient fails at once and says why', async () => {
    const { client } = await linked();
    const delivery = await waitForDelivery(client, await publish(client), 'FAILED');
    expect(delivery.attempts).toMatchObject([
      { statusCode: null, error: { code: 'RECIPIENT_MISSING', message: expect.stringContaining('recipient') } },
    ]);
  });

  it('is one event however often it is sent: after a lost response, the retry is the same event', async () => {
    const { client, klaviyo, account } = await linked();
    klaviyo.inject({ kind: 'reset', target: 'api', count: 1, afterEffect: true });
    const delivery = await waitForDelivery(client, await publish(client, { recipient }), 'DELIVERED');
    expect(delivery.attemptCount).toBe(2);
    expect(klaviyo.eventTotals(account)).toEqual({ recorded: 1, duplicates: 1 });
  });
});

describe('A Klaviyo connection', () => {
  it('that is authorized again while it is active starts a new series of failures', async () => {
    const { client, account, connectionId } = await linked();
    await switchboard.sql(
      `insert into connection_health (connection_id, consecutive_failures, failing_since, pauses, paused_until)
       values (?, 50, now() - interval '6 days', 9, now() + interval '1 hour')`,
      [connectionId],
    );
    await connectKlaviyo(client, account, connectionId);
    const [health] = await switchboard.sql(
      'select consecutive_failures, failing_since, paused_until from connection_health where connection_id = ?',
      [connectionId],
    );
    expect(health).toEqual({ consecutive_failures: 0, failing_since: null, paused_until: null });
    await waitForDelivery(client, await publish(client, { recipient }), 'DELIVERED');
  });

  it('that waits for a rate limit uses up no attempt', async () => {
    const { client, klaviyo } = await linked();
    klaviyo.inject({ kind: 'throttle', target: 'api', seconds: 1 });
    const delivery = await waitForDelivery(client, await publish(client, { recipient }), 'DELIVERED');
    expect(delivery.attempts).toHaveLength(1);
  });

  it('refreshes its token once when the API refuses it, and tries once more', async () => {
    const { client, klaviyo, account, connectionId } = await linked();
    klaviyo.expireAccessTokens(account);
    klaviyo.resetCounters();
    const delivery = await waitForDelivery(client, await publish(client, { recipient }), 'DELIVERED');
    expect(delivery.attempts).toHaveLength(1);
    expect(klaviyo.counters).toMatchObject({ refreshes: 1, unauthorized: 1 });
    expect(await seeConnection(client, connectionId)).toMatchObject({ status: 'ACTIVE' });
  });

  it('whose grant was revoked waits for a new authorization, holds new events, and loses nothing', async () => {
    const { client, klaviyo, account, connectionId } = await linked();
    klaviyo.uninstall(account);
    const events = [await publish(client, { recipient }), await publish(client, { recipient })];
    for (const event of events) await waitForDelivery(client, event, 'HELD');
    expect(await seeConnection(client, connectionId)).toMatchObject({
      status: 'REAUTHORIZATION_REQUIRED',
      statusReason: expect.stringContaining('connect again'),
      configuration: { grantedScopes: [], account: { id: account } },
    });
    await reauthorize(client, connectionId, account);
    for (const event of events) await waitForDelivery(client, event, 'DELIVERED');
    expect(klaviyo.eventTotals(account)).toEqual({ recorded: 2, duplicates: 0 });
  });

  it('that lacks a scope names it, and holds its deliveries', async () => {
    const { client, klaviyo, account, connectionId } = await linked();
    klaviyo.inject({ kind: 'permission_denied', target: 'api', count: 1 });
    const event = await publish(client, { recipient });
    await waitForDelivery(client, event, 'HELD');
    expect(await seeConnection(client, connectionId)).toMatchObject({
      status: 'REAUTHORIZATION_REQUIRED',
      statusReason: expect.stringContaining('events:write'),
      configuration: { missingScopes: ['events:write'] },
    });
    await reauthorize(client, connectionId, account);
    await waitForDelivery(client, event, 'DELIVERED');
  });

  it('that never asked for events:write does so as soon as it has a subscription, and delivers after the next authorization', async () => {
    const client = await switchboard.anotherOrganization();
    const account = switchboard.sandbox?.klaviyo.addAccount({ name: 'A shop that only shows its name' }).id as string;
    const connectionId = await createKlaviyoConnection(client, []);
    await connectKlaviyo(client, account, connectionId);
    expect(await seeConnection(client, connectionId)).toMatchObject({
      configuration: { requestedScopes: ['accounts:read'], missingScopes: [] },
    });
    await subscribe(client, connectionId);
    expect(await seeConnection(client, connectionId)).toMatchObject({
      status: 'ACTIVE',
      configuration: { requestedScopes: ['accounts:read', 'events:write'], missingScopes: ['events:write'] },
    });
    const event = await publish(client, { recipient });
    await waitForDelivery(client, event, 'HELD');
    expect(await seeConnection(client, connectionId)).toMatchObject({
      status: 'REAUTHORIZATION_REQUIRED',
      configuration: { missingScopes: ['events:write'] },
    });
    await reauthorize(client, connectionId, account);
    await waitForDelivery(client, event, 'DELIVERED');
    expect(await seeConnection(client, connectionId)).toMatchObject({ status: 'ACTIVE', configuration: { missingScopes: [] } });
  });

  it('notifies the webhooks that subscribe to its status', async () => {
    const { client, klaviyo, account, connectionId } = await linked();
    const { createConnection } = await client.query(
      'mutation ($url: URL!) { createConnection(input: { type: WEBHOOK, webhook: { url: $url } }) { connection { id } } }',
      { url: `${switchboard.publicUrl}/sandbox/inbox/notices` },
    );
    for (const eventType of ['connections.reauthorization.required', 'connections.authorization.completed']) {
      await client.query(
        'mutation ($id: ID!, $type: String!) { createSubscription(input: { connectionId: $id, eventType: $type }) { userErrors { code } } }',
        { id: createConnection.connection.id, type: eventType },
      );
    }
    klaviyo.uninstall(account);
    await waitForDelivery(client, await publish(client, { recipient }), 'HELD');
    await reauthorize(client, connectionId, account);
    const notices = await eventually(() => {
      const received = (switchboard.sandbox?.inbox.requests('notices') ?? []).map(({ body }) => JSON.parse(body));
      expect(received).toHaveLength(2);
      return received;
    });
    expect(notices.map(({ event_type }) => event_type)).toEqual([
      'connections.reauthorization.required',
      'connections.authorization.completed',
    ]);
    expect(notices[0].data.connection).toMatchObject({ id: connectionId, status: 'reauthorization_required' });
    expect(notices[1].data).toMatchObject({ connection: { status: 'active' }, account: { id: account }, missing_scopes: [] });
  });
});

async function reauthorize(client: TestSwitchboard['client'], connectionId: string, account: string): Promise<void> {
  const page = await openCallback(await decideAtKlaviyo(await startKlaviyoAuthorization(client, connectionId), 'allow', account));
  expect(page.status).toBe(200);
}
