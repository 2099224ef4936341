import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/createTestDatabase.js';
import { eventually } from '../support/eventually.js';
import { connectKlaviyo, seeConnection } from '../support/klaviyoFlow.js';
import { startLinkedSwitchboard } from '../support/startLinkedSwitchboard.js';
import { type StandaloneSandbox, startStandaloneSandbox } from '../support/startStandaloneSandbox.js';
import { parcelEvent, publish, seeDeliveries, subscribe, waitForDelivery } from '../support/webhookFlow.js';

type Server = Awaited<ReturnType<typeof startLinkedSwitchboard>>;

// Two servers with workers on one database, like two processes. Each test sets the lifetime of the provider's tokens.
let provider: StandaloneSandbox;
let shared: TestDatabase;
let one: Server;
let two: Server;
let accessTokenSeconds = 3_600;
beforeAll(async () => {
  [provider, shared] = await Promise.all([
    startStandaloneSandbox({ accessTokenSeconds: () => accessTokenSeconds }),
    createTestDatabase(),
  ]);
  const environment = { DELIVERY_RETRY_DELAYS: '200ms,200ms,200ms' };
  one = await startLinkedSwitchboard(provider, { shared, environment });
  two = await startLinkedSwitchboard(provider, { shared, environment, publicUrl: one.ownUrl });
});
afterAll(async () => {
  await Promise.all([one.close(), two.close()]);
  await Promise.all([shared.drop(), provider.close()]);
});
beforeEach(() => provider.klaviyo.resetCounters());

const recipient = { email: 'anna@example.com' };

async function linked() {
  const client = await one.anotherOrganization();
  const account = provider.klaviyo.addAccount({ name: 'A shop' }).id;
  const connectionId = await connectKlaviyo(client, account);
  await subscribe(client, connectionId);
  return { client, account, connectionId };
}

const PUBLISH_MANY = `mutation ($events: [PublishEventInput!]!) { publishEvents(input: { events: $events }) { userErrors { code } } }`;
const publishMany = (client: Server['client'], count: number) =>
  client.query(PUBLISH_MANY, {
    events: Array.from({ length: count }, (_, index) => ({
      eventType: 'parcels.event.created',
      data: parcelEvent(index + 1),
      recipient,
    })),
  });

/** Sets the remaining lifetime of the token, with the last refresh long ago. */
const leave = (connectionId: string, seconds: number) =>
  one.sql(
    `update credentials set expires_at = now() + interval '1 second' * ${seconds}, refresh_leased_until = null where connection_id = ${connectionId}`,
  );

describe('An access token that lives for', () => {
  it.each([10, 60, 300, 301, 1_499])(
    '%i seconds is used as it is, and renewed within the last fifth of its life',
    async (life) => {
      accessTokenSeconds = life;
      const { client, account, connectionId } = await linked();
      await publishMany(client, 50);
      await eventually(() => expect(provider.klaviyo.eventTotals(account).recorded).toBe(50));
      // On a busy machine ten seconds may pass during the test.
      if (life > 10) expect(provider.klaviyo.counters).toMatchObject({ refreshRequests: 0 });

      await leave(connectionId, life * 0.2 + 10);
      provider.klaviyo.resetCounters();
      await waitForDelivery(client, await publish(client, { recipient }), 'DELIVERED');
      expect(provider.klaviyo.counters).toMatchObject({ refreshRequests: 0 });

      await leave(connectionId, life * 0.2 - 0.1);
      await publishMany(client, 50);
      await eventually(() => expect(provider.klaviyo.eventTotals(account).recorded).toBe(101));
      expect(provider.klaviyo.counters).toMatchObject({ refreshRequests: 1, refreshes: 1 });
      expect(await seeConnection(client, connectionId)).toMatchObject({ status: 'ACTIVE' });
      expect(await seeDeliveries(client, { status: 'FAILED' })).toEqual([]);
    },
  );

  it.each([1_500, 3_600, 86_400])('%i seconds is renewed five minutes before its end', async (life) => {
    accessTokenSeconds = life;
    const { client, connectionId } = await linked();
    await leave(connectionId, 310);
    await waitForDelivery(client, await publish(client, { recipient }), 'DELIVERED');
    expect(provider.klaviyo.counters).toMatchObject({ refreshRequests: 0 });
    await leave(connectionId, 295);
    await waitForDelivery(client, await publish(client, { recipient }), 'DELIVERED');
    expect(provider.klaviyo.counters).toMatchObject({ refreshes: 1 });
  });

  it.each([0, 10])('%i seconds does not cause constant refreshes, and uses up no attempt', async (life) => {
    accessTokenSeconds = life;
    const { client, account } = await linked();
    const startedAt = Date.now();
    await publishMany(client, 200);
    if (life > 0) await eventually(() => expect(provider.klaviyo.eventTotals(account).recorded).toBe(200), { withinMs: 20_000 });
    else await sleep(5_000);
    const most = Math.ceil((Date.now() - startedAt) / 6_000) + 1;
    expect(provider.klaviyo.counters.refreshRequests).toBeLessThanOrEqual(most);
    expect(await seeDeliveries(client, { status: 'FAILED' })).toEqual([]);
  });

  it('longer than any date can express does not break a grant', async () => {
    accessTokenSeconds = 1e15;
    const { client } = await linked();
    await waitForDelivery(client, await publish(client, { recipient }), 'DELIVERED');
  });
});

describe('Tokens that the API refuses as soon as they are issued', () => {
  it('are renewed at most every six seconds', async () => {
    accessTokenSeconds = 3_600;
    const { client } = await linked();
    const startedAt = Date.now();
    const fault = provider.klaviyo.inject({ kind: 'unauthorized', target: 'api' });
    await publishMany(client, 100);
    await sleep(5_000);
    const most = Math.ceil((Date.now() - startedAt) / 6_000) + 1;
    expect(provider.klaviyo.counters.refreshRequests).toBeGreaterThan(0);
    expect(provider.klaviyo.counters.refreshRequests).toBeLessThanOrEqual(most);
    provider.klaviyo.clearFaults(fault.id);
  });
});
