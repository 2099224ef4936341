import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LiveClient } from '../graphql/live/support/LiveClient.js';
import { eventually } from '../support/eventually.js';
import { makeSession } from '../support/sessionFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createWebhookConnection } from '../support/webhookFlow.js';

const SEE = '{ session { id } }';
const CHANGE = 'mutation { deleteConnection(input: { id: "987654" }) { deletedId } }';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  const limits = { RATE_LIMIT_PER_MINUTE: '20', SESSION_RATE_LIMIT_PER_MINUTE: '120', LIVE_WATCHES_PER_ORGANIZATION: '15' };
  switchboard = await startSwitchboard({ ROLE: 'api', ...limits });
});
afterAll(() => switchboard.close());

describe('A session may call', () => {
  it("a quarter as often as its organization, and uses up no more of the organization's limit", async () => {
    const client = await switchboard.anotherOrganization();
    const session = await makeSession(client, { permissions: ['VIEW'] });
    const another = await makeSession(client, { permissions: ['VIEW'] });
    const answers = [];
    for (let call = 0; call < 12; call += 1) answers.push(await session.send(SEE));
    expect(answers.map(({ status }) => status)).toEqual([...Array(5).fill(200), ...Array(7).fill(429)]);
    expect(answers[0]?.headers.get('ratelimit-limit')).toBe('5');
    expect(answers[4]?.headers.get('ratelimit-remaining')).toBe('0');
    expect(answers[5]).toMatchObject({
      errors: [{ message: expect.stringContaining('This session'), extensions: { code: 'RATE_LIMITED' } }],
    });
    expect(Number(answers[5]?.headers.get('retry-after'))).toBeGreaterThan(0);
    // Five of twenty are used up, by any caller.
    expect((await client.send(SEE)).headers.get('ratelimit-remaining')).toBe('14');
    expect((await another.send(SEE)).status).toBe(200);
  });

  it("within its organization's limit, which others also use up", async () => {
    const client = await switchboard.anotherOrganization();
    const session = await makeSession(client, { permissions: ['VIEW'] });
    for (let call = 0; call < 20; call += 1) await client.send(SEE);
    expect(await session.send(SEE)).toMatchObject({
      status: 429,
      errors: [{ message: expect.stringContaining('Your organization') }],
    });
  });

  it('and a forbidden call does not count as a write', async () => {
    const client = await switchboard.anotherOrganization();
    const session = await makeSession(client, { permissions: ['VIEW'] });
    for (let call = 0; call < 4; call += 1) expect((await session.send(CHANGE)).status).toBe(403);
    expect((await session.send(SEE)).headers.get('ratelimit-remaining')).toBe('0');
    // One mutation has created the session.
    const { headers } = await client.send(CHANGE);
    expect(headers.get('ratelimit-remaining')).toBe('18');
  });
});

describe('Without RATE_LIMIT_PER_MINUTE', () => {
  it.each([
    ['3', [200, 200, 200, 429]],
    ['0', [200, 200, 200, 200]],
  ])('SESSION_RATE_LIMIT_PER_MINUTE=%s limits sessions only', async (limit, statuses) => {
    const unlimited = await startSwitchboard({ ROLE: 'api', SESSION_RATE_LIMIT_PER_MINUTE: limit }, switchboard.testDatabase);
    try {
      const session = await makeSession(unlimited.client, { permissions: ['VIEW'] });
      const found = [];
      for (let call = 0; call < 4; call += 1) found.push((await session.send(SEE)).status);
      expect(found).toEqual(statuses);
      for (let call = 0; call < 10; call += 1) expect((await unlimited.client.send(SEE)).status).toBe(200);
    } finally {
      await unlimited.close();
    }
  });
});

describe('A session may open', () => {
  it("a tenth of its organization's live subscriptions at once", async () => {
    const client = await switchboard.anotherOrganization();
    const session = await makeSession(client, { permissions: ['VIEW'] });
    const live = new LiveClient(client.url, { Authorization: session.authorization });
    const watches = [1, 2].map(() => live.watch('subscription { connectionUpdated { id } }'));
    const organizationId = client.keys.organizationId;
    await eventually(async () =>
      expect(await switchboard.sql('select 1 from live_watchers where organization_id = ?', [organizationId])).toHaveLength(1),
    );
    const third = live.watch('subscription { deliveryUpdated { id } }');
    await third.ended;
    expect(third.seen).toMatchObject([
      { errors: [{ message: expect.stringContaining('A session may watch 2'), extensions: { code: 'RATE_LIMITED' } }] },
    ]);
    // Other callers can still open some.
    const byKey = LiveClient.of(client);
    const watch = byKey.watch('subscription { connectionUpdated { id } }');
    await eventually(async () => {
      await createWebhookConnection(client);
      expect(watch.seen.length).toBeGreaterThan(0);
      for (const { seen } of watches) expect(seen.length).toBeGreaterThan(0);
    });
    await Promise.all([live.close(), byKey.close()]);
  });
});
