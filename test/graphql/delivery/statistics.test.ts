import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sweepDeliveryStatistics } from '../../../src/delivery/deliveryStatistics.js';
import { Inbox, status } from '../../delivery/support/Inbox.js';
import { eventually } from '../../support/eventually.js';
import { createKlaviyoConnection } from '../../support/klaviyoFlow.js';
import { Platform } from '../../support/Platform.js';
import { makeSession } from '../../support/sessionFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { createWebhookConnection, publish, subscribe, waitForDelivery } from '../../support/webhookFlow.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

let switchboard: TestSwitchboard;
let inbox: Inbox;
beforeAll(async () => {
  switchboard = await startSwitchboard({ DELIVERY_RETRY_DELAYS: '1s' });
  inbox = await Inbox.open();
});
afterAll(async () => {
  await switchboard.close();
  await inbox.close();
});

const STATISTICS = `query ($from: DateTime!, $until: DateTime, $connectionId: ID) {
  deliveryStatistics(from: $from, until: $until, connectionId: $connectionId) {
    from until intervalSeconds delivered failed retried successRate p50Ms p95Ms
    intervals { start delivered failed retried p50Ms p95Ms } } }`;

const ago = (ms: number) => new Date(Date.now() - ms).toISOString();

interface Statistics {
  readonly from: string;
  readonly until: string;
  readonly intervalSeconds: number;
  readonly delivered: number;
  readonly failed: number;
  readonly retried: number;
  readonly successRate: number | null;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly intervals: readonly { start: string; delivered: number; failed: number; retried: number; p50Ms: number | null }[];
}

async function statisticsOf(client: { query: TestSwitchboard['client']['query'] }, variables: object = {}): Promise<Statistics> {
  return (await client.query(STATISTICS, { from: ago(10 * MINUTE_MS), ...variables })).deliveryStatistics;
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);

interface SeededRow {
  readonly at: number;
  /** -1: all of the organization. */
  readonly connectionId?: string;
  readonly minutes?: number;
  readonly delivered: number;
  readonly failed?: number;
  /** Counts by step of 1.2ⁿ ms. */
  readonly latencies?: readonly number[];
}

/** Writes a row as a worker would have. */
async function seed({ keys }: Pick<TestSwitchboard['client'], 'keys'>, row: SeededRow): Promise<void> {
  const { at, connectionId = '-1', minutes = 1, delivered, failed = 0, latencies = [] } = row;
  const startMs = Math.floor(at / (minutes * MINUTE_MS)) * minutes * MINUTE_MS;
  await switchboard.sql(
    'insert into delivery_statistics values (?, ?, ?, to_timestamp(?::float8 / 1000), ?, ?, 0, ?::text::int[])',
    [keys.organizationId, connectionId, minutes, startMs, delivered, failed, `{${latencies.join(',')}}`],
  );
}

describe('deliveryStatistics', () => {
  it('counts what was delivered, failed and is retried, of a connection and of all together, and no test broadcast', async () => {
    const client = await switchboard.anotherOrganization('counting');
    const good = await createWebhookConnection(client, inbox.url);
    const flaky = await createWebhookConnection(client, inbox.url.replace('/hook', '/flaky'));
    inbox.answer = (response, { url }, count) =>
      (url === '/flaky' ? status(500) : status(200))(response, undefined as never, count);
    const subscription = await subscribe(client, good);
    const test = 'mutation ($id: ID!) { broadcastTestEvent(input: { subscriptionId: $id }) { result { success } } }';
    expect((await client.query(test, { id: subscription })).broadcastTestEvent.result.success).toBe(true);
    const events = [await publish(client), await publish(client), await publish(client)];
    for (const event of events) await waitForDelivery(client, event, 'DELIVERED');
    const pause = 'mutation ($id: ID!) { updateSubscription(input: { id: $id, isActive: false }) { userErrors { code } } }';
    await client.query(pause, { id: subscription });
    await subscribe(client, flaky);
    await waitForDelivery(client, await publish(client), 'FAILED');

    const all = await eventually(async () => {
      const found = await statisticsOf(client);
      expect(found).toMatchObject({ delivered: 3, failed: 1, retried: 1 });
      return found;
    });
    expect(all.successRate).toBe(0.75);
    expect(sum(all.intervals.map(({ delivered }) => delivered))).toBe(3);
    expect(sum(all.intervals.map(({ failed }) => failed))).toBe(1);
    expect(sum(all.intervals.map(({ retried }) => retried))).toBe(1);
    expect(await statisticsOf(client, { connectionId: good })).toMatchObject({
      delivered: 3,
      failed: 0,
      retried: 0,
      successRate: 1,
    });
    expect(await statisticsOf(client, { connectionId: flaky })).toMatchObject({ delivered: 0, failed: 1, p50Ms: null });
    // The hours say the same as the minutes.
    expect(await statisticsOf(client, { from: ago(100 * HOUR_MS) })).toMatchObject({ delivered: 3, failed: 1, retried: 1 });

    await client.query('mutation ($id: ID!) { deleteConnection(input: { id: $id }) { deletedId } }', { id: good });
    expect(await statisticsOf(client, { connectionId: good })).toMatchObject({ delivered: 0, p50Ms: null });
    expect(await statisticsOf(client)).toMatchObject({ delivered: 3 });
  });

  it('measures from publishing to the answer, pauses between attempts included', async () => {
    const client = await switchboard.anotherOrganization('measuring');
    await subscribe(client, await createWebhookConnection(client, inbox.url));
    let tries = 0;
    inbox.answer = (response, received, count) => status(++tries === 1 ? 500 : 200)(response, received, count);
    await waitForDelivery(client, await publish(client), 'DELIVERED');
    const { p50Ms, p95Ms, retried } = await eventually(async () => {
      const found = await statisticsOf(client);
      expect(found.delivered).toBe(1);
      return found;
    });
    expect(retried).toBe(1);
    // The pause is a second, less a fifth at most; and a step of the histogram is a fifth wide.
    expect(p50Ms).toBeGreaterThan(650);
    expect(p95Ms).toBe(p50Ms);
  });

  it('has an entry for each interval of the range, also the empty ones, and at most some 180', async () => {
    const client = await switchboard.anotherOrganization('empty');
    const lengths: Record<number, number> = {};
    for (const hours of [0.02, 1, 3, 4, 14, 15, 16, 45, 46, 100, 180, 181, 744]) {
      const now = Date.now();
      const asked = { from: new Date(now - hours * HOUR_MS).toISOString(), until: new Date(now).toISOString() };
      const { from, until, intervalSeconds, intervals, ...sums } = await statisticsOf(client, asked);
      lengths[hours] = intervalSeconds;
      expect(intervals.length).toBeLessThanOrEqual(182);
      expect(sums).toEqual({ delivered: 0, failed: 0, retried: 0, successRate: null, p50Ms: null, p95Ms: null });
      const starts = intervals.map(({ start }) => Date.parse(start));
      expect(starts[0]).toBe(Date.parse(from));
      expect(Date.parse(from)).toBeLessThanOrEqual(Date.parse(asked.from));
      expect(Date.parse(from)).toBeGreaterThan(Date.parse(asked.from) - intervalSeconds * 1_000);
      expect(Date.parse(until)).toBe((starts.at(-1) as number) + intervalSeconds * 1_000);
      expect(Date.parse(until)).toBeGreaterThanOrEqual(Date.parse(asked.until));
      expect(starts.every((start, index) => start === (starts[0] as number) + index * intervalSeconds * 1_000)).toBe(true);
    }
    expect(lengths).toEqual({
      ...{ 0.02: 60, 1: 60, 3: 60, 4: 300, 14: 300, 15: 300, 16: 900, 45: 900, 46: 3_600, 100: 3_600, 180: 3_600 },
      ...{ 181: 21_600, 744: 21_600 },
    });
    // Minutes are not kept for that long.
    const old = await statisticsOf(client, { from: ago(60 * HOUR_MS), until: ago(59 * HOUR_MS) });
    expect(old.intervalSeconds).toBe(3_600);
  });

  it('sums minutes to longer intervals, and finds percentiles across them', async () => {
    const client = await switchboard.anotherOrganization('summing');
    const start = Math.floor((Date.now() - 5 * HOUR_MS) / 300_000) * 300_000;
    // Step 25 begins at 95 ms, step 38 at 1,020 ms.
    const step = (number: number, count: number) => [...Array(number).fill(0), count];
    await seed(client, { at: start, delivered: 60, latencies: step(25, 60) });
    await seed(client, { at: start + 4 * MINUTE_MS, delivered: 40, failed: 25, latencies: step(38, 40) });
    await seed(client, { at: start + 5 * MINUTE_MS, delivered: 4_000_000_000, latencies: step(25, 2_000_000_000) });
    const found = await statisticsOf(client, { from: new Date(start).toISOString(), until: ago(0) });
    expect(found).toMatchObject({ intervalSeconds: 300, delivered: 4_000_000_100, failed: 25, p50Ms: 104.5, p95Ms: 104.5 });
    expect(found.intervals[0]).toMatchObject({ delivered: 100, failed: 25, p50Ms: 104.5, p95Ms: 1_118.1 });
    expect(found.intervals[1]).toMatchObject({ delivered: 4_000_000_000, p50Ms: 104.5 });
    expect(found.intervals[2]).toMatchObject({ delivered: 0, p50Ms: null });
  });

  it.each([
    ['ends before it begins', { from: ago(MINUTE_MS), until: ago(2 * MINUTE_MS) }, /"from" must be before "until"/],
    ['begins in the future', { from: ago(-HOUR_MS) }, /"from" must be before "until", and in the past/],
    ['is longer than 31 days', { from: ago(32 * 24 * HOUR_MS) }, /31 days at most/],
    ['begins in the year 1', { from: '0001-01-01T00:00:00Z', until: '0001-01-01T00:00:01Z' }, null],
    ['begins before Christ', { from: '-000001-01-01T00:00:00Z' }, /Expected type "DateTime!"/],
    ['is no range', { from: 'yesterday' }, /Expected type "DateTime!"/],
  ])('says what is wrong with a range that %s', async (_how, variables, message) => {
    const { status: code, data, errors } = await switchboard.client.send(STATISTICS, variables);
    if (message === null) {
      expect(data.deliveryStatistics).toMatchObject({ delivered: 0, intervalSeconds: 3_600 });
      return;
    }
    expect(code).toBe(400);
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(errors?.[0].message).toMatch(message);
  });

  it('takes the end for now when it is in the future', async () => {
    const { intervals } = await statisticsOf(switchboard.client, { from: ago(3 * MINUTE_MS), until: '9999-12-31T23:59:59Z' });
    expect(intervals.length).toBeLessThanOrEqual(4);
  });

  it('shows a session of one connection that one alone, whatever it asks for', async () => {
    const client = await switchboard.anotherOrganization('confined');
    const foreign = await switchboard.anotherOrganization('foreign');
    const [own, beside, theirs] = [
      await createWebhookConnection(client),
      await createWebhookConnection(client),
      await createWebhookConnection(foreign),
    ];
    const at = Date.now() - MINUTE_MS;
    await seed(client, { at, connectionId: own, delivered: 1 });
    await seed(client, { at, connectionId: beside, delivered: 2 });
    await seed(client, { at, delivered: 3 });
    await seed(foreign, { at, connectionId: theirs, delivered: 4 });
    await seed(foreign, { at, delivered: 4 });
    const answers = async (permissions: string[], connectionId?: string) => {
      const { authorization } = await makeSession(client, { permissions, connectionId });
      const asked = [undefined, own, beside, theirs, '987654', '-1', '0', '', 'x'];
      return Promise.all(
        asked.map(async (id) => {
          const variables = { from: ago(HOUR_MS), connectionId: id };
          const { data, errors } = await client.send(STATISTICS, variables, { authorization });
          return errors?.[0].extensions.code ?? data.deliveryStatistics.delivered;
        }),
      );
    };
    expect(await answers(['VIEW'], own)).toEqual([1, 1, 0, 0, 0, 0, 0, 1, 0]);
    expect(await answers(['MANAGE'])).toEqual([3, 1, 2, 0, 0, 0, 0, 3, 0]);
    const connecting = await answers(['CONNECT'], await createKlaviyoConnection(client));
    expect(new Set(connecting)).toEqual(new Set(['FORBIDDEN']));
    expect(await statisticsOf(client, { connectionId: theirs })).toMatchObject({ delivered: 0 });
    expect(await statisticsOf(foreign)).toMatchObject({ delivered: 4 });
  });

  it('goes with its organization', async () => {
    const platform = await Platform.of(switchboard);
    const leaving = await platform.newOrganization('leaving with numbers');
    const { organization } = await leaving.query('{ organization { id } }');
    await seed({ keys: { ...leaving.keys, organizationId: Number(organization.id) } }, { at: Date.now(), delivered: 1 });
    await platform.query(
      'mutation { deleteOrganization(input: { externalId: "leaving with numbers" }) { userErrors { code } } }',
    );
    await eventually(async () => {
      const rows = await switchboard.sql('select 1 from delivery_statistics where organization_id = ?', [organization.id]);
      expect(rows).toEqual([]);
    });
  });
});

describe('The chore', () => {
  it('deletes minutes after 48 hours and hours after 32 days, and nothing else', async () => {
    const client = await switchboard.anotherOrganization('sweeping');
    const now = Date.now();
    const kept: [number, number][] = [
      ...[0, 24, 47].map((hours): [number, number] => [1, hours]),
      ...[0, 49, 31 * 24].map((hours): [number, number] => [60, hours]),
    ];
    const gone: [number, number][] = [
      [1, 49],
      [1, 60],
      [1, 600],
      [60, 33 * 24],
      [60, 400 * 24],
    ];
    for (const [minutes, hours] of [...kept, ...gone])
      await seed(client, { minutes, at: now - hours * HOUR_MS, delivered: hours });
    await sweepDeliveryStatistics({ database: switchboard.database });
    const rows = await switchboard.sql(
      `select interval_minutes::int as minutes, delivered::int as hours from delivery_statistics
        where organization_id = ? order by 1, 2`,
      [client.keys.organizationId],
    );
    expect(rows.map(({ minutes, hours }) => [minutes, hours])).toEqual(kept);
  });
});
