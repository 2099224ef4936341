import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/createTestDatabase.js';
import { eventually } from '../support/eventually.js';
import { connectKlaviyo } from '../support/klaviyoFlow.js';
import { startLinkedSwitchboard } from '../support/startLinkedSwitchboard.js';
import { type StandaloneSandbox, startStandaloneSandbox } from '../support/startStandaloneSandbox.js';
import { parcelEvent, subscribe } from '../support/webhookFlow.js';

let klaviyo: StandaloneSandbox;
let shared: TestDatabase;
let servers: Awaited<ReturnType<typeof startLinkedSwitchboard>>[];
beforeAll(async () => {
  klaviyo = await startStandaloneSandbox();
  shared = await createTestDatabase();
  const first = await startLinkedSwitchboard(klaviyo, { shared });
  const others = [1, 2].map(() => startLinkedSwitchboard(klaviyo, { shared, publicUrl: first.publicUrl }));
  servers = [first, ...(await Promise.all(others))];
}, 90_000);
afterAll(async () => {
  await Promise.all(servers.toReversed().map((server) => server.close()));
  await shared.drop();
  await klaviyo.close();
});

const PUBLISH =
  'mutation ($events: [PublishEventInput!]!) { publishEvents(input: { events: $events }) { userErrors { code message } } }';

/** Fewer than a batch needs. */
const AT_ONCE = 30;
const ROUNDS = 8;

describe('Three servers and two connections of one Klaviyo account', () => {
  it('together stay below its limits, and lose nothing', async () => {
    const [first] = servers;
    if (!first) throw new Error('No server.');
    const account = klaviyo.klaviyo.addAccount({ name: 'Shared' }).id;
    const clients = [await first.anotherOrganization('One'), await first.anotherOrganization('Other')];
    for (const client of clients) await subscribe(client, await connectKlaviyo(client, account));
    klaviyo.klaviyo.resetCounters();
    await Promise.all(
      clients.map(async (client, index) => {
        for (let round = 0; round < ROUNDS; round += 1) {
          const events = Array.from({ length: AT_ONCE }, (_, n) => ({
            eventType: 'parcels.event.created',
            data: parcelEvent(10_000 * index + AT_ONCE * round + n),
            recipient: { email: `customer.${index}.${round}.${n}@example.com` },
          }));
          await client.query(PUBLISH, { events });
        }
      }),
    );
    const count = clients.length * ROUNDS * AT_ONCE;
    await eventually(
      async () =>
        expect(await first.sql('select status, count(*)::int as count from deliveries group by status')).toEqual([
          { status: 'delivered', count },
        ]),
      { withinMs: 90_000 },
    );
    expect(klaviyo.klaviyo.eventTotals(account)).toEqual({ recorded: count, duplicates: 0 });
    const { throttled, eventRequests, bulkRequests } = klaviyo.klaviyo.counters;
    expect(throttled).toBeLessThanOrEqual((eventRequests + bulkRequests) / 100);
    expect(await first.sql('select count(*)::int as count from attempts')).toEqual([{ count }]);
    // One row for both connections, because they share an account.
    const rows = await first.sql("select distinct account_id from klaviyo_quotas where endpoint in ('events', 'bulk')");
    expect(rows).toEqual([{ account_id: account }]);
  }, 120_000);
});
