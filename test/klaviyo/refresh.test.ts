import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { declareGrantLost } from '../../src/oauth/getProviderAccessToken.js';
import type { FaultKind } from '../../src/sandbox/createSandbox.js';
import { eventually } from '../support/eventually.js';
import { connectKlaviyo, seeConnection } from '../support/klaviyoFlow.js';
import { type ServerPair, startServerPair } from '../support/startServerPair.js';
import { parcelEvent, publish, seeDeliveries, subscribe, waitForDelivery } from '../support/webhookFlow.js';

let pair: ServerPair;
let klaviyo: ServerPair['klaviyo'];
let one: ServerPair['one'];
let two: ServerPair['two'];
beforeAll(async () => {
  pair = await startServerPair({ DELIVERY_RETRY_DELAYS: '200ms,200ms,200ms' });
  ({ klaviyo, one, two } = pair);
});
afterAll(() => pair.close());

const recipient = { email: 'anna@example.com' };

async function linked() {
  const client = await one.anotherOrganization();
  const account = klaviyo.klaviyo.addAccount({ name: 'A shop' }).id;
  const connectionId = await connectKlaviyo(client, account);
  await subscribe(client, connectionId);
  return { client, account, connectionId };
}

/** Sets the access token to expired, as after an hour, so that it is refreshed before its next use. */
const runOut = (connectionId: string, left = '0 seconds') =>
  one.sql(
    `update credentials set expires_at = now() + '${left}'::interval, refresh_leased_until = null where connection_id = ${connectionId}`,
  );

describe('Refreshing (RFC 6749 6)', () => {
  it('happens once for 200 concurrent deliveries of two servers with an expired token', async () => {
    const { client, account, connectionId } = await linked();
    await runOut(connectionId);
    klaviyo.klaviyo.resetCounters();
    const events = Array.from({ length: 200 }, (_, index) => ({
      eventType: 'parcels.event.created',
      data: parcelEvent(index + 1),
      recipient,
    }));
    await client.query(
      'mutation ($events: [PublishEventInput!]!) { publishEvents(input: { events: $events }) { userErrors { code } } }',
      { events },
    );
    await eventually(() => expect(klaviyo.klaviyo.eventTotals(account).recorded).toBe(200), { withinMs: 20_000 });
    expect(klaviyo.klaviyo.counters).toMatchObject({ refreshRequests: 1, refreshes: 1 });
    expect(klaviyo.klaviyo.eventTotals(account)).toEqual({ recorded: 200, duplicates: 0 });
    expect(await seeDeliveries(client, { status: 'FAILED' })).toEqual([]);
  });

  it('happens five minutes early, and the old token is used when it fails', async () => {
    const { client, connectionId } = await linked();
    await runOut(connectionId, '4 minutes');
    klaviyo.klaviyo.resetCounters();
    klaviyo.klaviyo.inject({ kind: 'server_error', target: 'token', count: 1 });
    await waitForDelivery(client, await publish(client, { recipient }), 'DELIVERED');
    expect(klaviyo.klaviyo.counters).toMatchObject({ tokenRequests: 1, refreshes: 0 });
  });

  it.each<FaultKind>(['omit_refresh_token', 'omit_expires_in', 'expires_in_string', 'rotate_refresh_token'])(
    'stays alive when the answer is bent: %s',
    async (kind) => {
      const { client, connectionId } = await linked();
      await runOut(connectionId);
      klaviyo.klaviyo.inject({ kind, target: 'token', count: 1 });
      await waitForDelivery(client, await publish(client, { recipient }), 'DELIVERED');
      const { accessTokenExpiresAt } = (await seeConnection(client, connectionId)).configuration;
      expect(new Date(accessTokenExpiresAt).getTime()).toBeGreaterThan(Date.now() + 50 * 60_000);
      // The next refresh works with the refresh token that is stored now.
      await runOut(connectionId);
      await waitForDelivery(client, await publish(client, { recipient }), 'DELIVERED');
    },
  );
});

describe('A fault at the token endpoint', () => {
  it.each<FaultKind>(['bad_gateway_html', 'edge_challenge', 'reset', 'throttle'])(
    '%s is an outage: the connection stays ACTIVE, no attempt is spent, the event arrives afterwards',
    async (kind) => {
      const { client, account, connectionId } = await linked();
      await runOut(connectionId);
      klaviyo.klaviyo.inject({ kind, target: 'token', count: 1, seconds: 1 });
      const event = await publish(client, { recipient });
      const delivery = await eventually(() => waitForDelivery(client, event, 'DELIVERED'), { withinMs: 20_000 });
      expect(delivery.attempts).toHaveLength(1);
      expect(await seeConnection(client, connectionId)).toMatchObject({ status: 'ACTIVE', statusReason: null });
      expect(klaviyo.klaviyo.eventTotals(account)).toEqual({ recorded: 1, duplicates: 0 });
    },
    40_000,
  );

  it('invalid_client changes no connection, and alarms the operator', async () => {
    const { client, connectionId } = await linked();
    await runOut(connectionId);
    const fault = klaviyo.klaviyo.inject({ kind: 'invalid_client', target: 'token' });
    const event = await publish(client, { recipient });
    const alarms = async () =>
      (
        await Promise.all(
          [one, two].map(
            async ({ ownUrl }) => ((await (await fetch(`${ownUrl}/health/ready`)).json()) as { alarms: object[] }).alarms,
          ),
        )
      ).flat();
    await eventually(async () =>
      expect(await alarms()).toMatchObject([
        { name: 'klaviyo-configuration', message: expect.stringContaining('invalid_client') },
      ]),
    );
    expect(await seeConnection(client, connectionId)).toMatchObject({ status: 'ACTIVE' });
    expect(await seeDeliveries(client, { eventId: event })).toMatchObject([{ status: 'PENDING', attempts: [] }]);
    klaviyo.klaviyo.clearFaults(fault.id);
  });

  it('invalid_grant, and only that, ends the grant', async () => {
    const { client, account, connectionId } = await linked();
    await runOut(connectionId);
    klaviyo.klaviyo.uninstall(account);
    const event = await publish(client, { recipient });
    await waitForDelivery(client, event, 'HELD');
    expect(await seeConnection(client, connectionId)).toMatchObject({ status: 'REAUTHORIZATION_REQUIRED' });
  });
});

describe('A refresh that loses a race', () => {
  it('does not end a grant that another process has refreshed meanwhile', async () => {
    const { client, connectionId } = await linked();
    const ignore = async () => {};
    const notices = {
      authorizationCompleted: ignore,
      reauthorizationRequired: ignore,
      accountChanged: ignore,
      scopesMissing: ignore,
    };
    const [{ version }] = (await one.sql(`select version from credentials where connection_id = ${connectionId}`)) as [
      { version: number },
    ];
    await one.sql(`update credentials set version = version + 1 where connection_id = ${connectionId}`);
    const late = { connectionId: Number(connectionId), version };
    expect(await declareGrantLost({ database: one.database, notices }, late, 'Refused.')).toBe(false);
    expect(await seeConnection(client, connectionId)).toMatchObject({ status: 'ACTIVE', statusReason: null });
    await waitForDelivery(client, await publish(client, { recipient }), 'DELIVERED');
  });
});
