import { createOrganization } from '../../src/access/createOrganization.js';
import { createDeliverySignal } from '../../src/delivery/DeliverySignal.js';
import { GraphQLClient } from '../support/GraphQLClient.js';
import { connectKlaviyo, decideAtKlaviyo, seeConnection, startKlaviyoAuthorization } from '../support/klaviyoFlow.js';
import { openCallback } from '../support/openCallback.js';
import { type StandaloneSandbox, startStandaloneSandbox } from '../support/startStandaloneSandbox.js';
import { subscribe } from '../support/webhookFlow.js';
import { Bench } from './support/Bench.js';
import { Deliveries } from './support/Deliveries.js';
import { disorder } from './support/disorder.js';
import { Fleet } from './support/Fleet.js';
import { measureLatency } from './support/measureLatency.js';
import { percentile } from './support/percentile.js';
import { parcelNumber, publishParcels } from './support/publishParcels.js';
import { Report } from './support/Report.js';

/**
 * Measures the delivery of held events after a merchant whose grant was revoked connects again: `npm run bench:held`, with
 * one process and then with two on the same database; `-- 1` or `-- 2` for one of them. Klaviyo is the sandbox, with its
 * limits.
 */
const COUNT = Number(process.env.BENCH_COUNT ?? 10_000);
const LIMIT_MS = 15 * 60_000;
/** Events per second of a webhook connection that has nothing to do with Klaviyo. */
const HEALTHY_PER_SECOND = 50;
/**
 * Milliseconds. All processes share the machine's cores, which causes short delays. Waiting for another connection's rate
 * limit would take much longer.
 */
const NOT_WAITING_MS = 2_000;

const report = new Report();
const ms = (value: number) => `${value.toFixed(1)} ms`;

async function held(bench: Bench, klaviyo: StandaloneSandbox, processes: number): Promise<void> {
  report.title(`${COUNT.toLocaleString('en')} held events, ${processes} process${processes === 1 ? '' : 'es'}`);
  const fleet = await Fleet.open(bench);
  try {
    const { url } = await fleet.start(klaviyo.environmentFor);
    while (fleet.size < processes) await fleet.start(klaviyo.environmentFor, url);
    const keys = await createOrganization({ database: bench.database }, `Held ${processes}`);
    const client = new GraphQLClient(`${url}/graphql`, keys);
    const account = klaviyo.klaviyo.addAccount({ name: `Store ${processes}` }).id;
    const connectionId = await connectKlaviyo(client, account);
    await subscribe(client, connectionId);
    const deliveries = new Deliveries(bench.database, Number(connectionId));

    const healthy = await healthyConnection(bench, `bench.healthy.${processes}`);
    const alone = await healthy(20);

    klaviyo.klaviyo.uninstall(account);
    await publishParcels(client, 0, 1);
    await deliveries.until((counts) => counts.held === 1, LIMIT_MS);
    const { status } = await seeConnection(client, connectionId);
    report.promise('the revoked connection', status === 'REAUTHORIZATION_REQUIRED', status);
    await publishParcels(client, 1, COUNT);
    const before = await deliveries.counts();
    report.promise('held', before.held === COUNT, before.held);

    klaviyo.klaviyo.resetCounters();
    const consent = await decideAtKlaviyo(await startKlaviyoAuthorization(client, connectionId), 'allow', account);
    const { status: page } = await openCallback(consent);
    if (page !== 200) throw new Error(`The callback answered ${page}.`);
    const startedAt = Date.now();
    let done = false;
    const released = Promise.all([
      deliveries
        .until(({ held, waiting }) => held + waiting === 0, LIMIT_MS)
        .then(() => {
          done = true;
        }),
      (async () => {
        const latencies: number[] = [];
        while (!done) latencies.push(...(await healthy(10)));
        return latencies;
      })(),
    ]);
    const [, beside] = await Promise.race([fleet.broken, released]);
    await check(klaviyo, account, deliveries, startedAt);
    alone.push(...(await healthy(20)));
    const [usual, now] = [percentile(alone, 95), percentile(beside, 95)];
    report.figure('healthy webhooks alone, before and after, p50 and p95', `${ms(percentile(alone, 50))}, ${ms(usual)}`);
    const figures = `${ms(percentile(beside, 50))}, ${ms(now)}`;
    report.promise('healthy webhooks meanwhile, p50 and p95', now < Math.max(NOT_WAITING_MS, 2 * usual), figures);
  } finally {
    await fleet.stop();
  }
}

async function check({ klaviyo }: StandaloneSandbox, account: string, deliveries: Deliveries, startedAt: number): Promise<void> {
  const events = klaviyo.events(account);
  const { duplicates } = klaviyo.eventTotals(account);
  const { throttled, eventRequests, bulkRequests } = klaviyo.counters;
  const counts = await deliveries.counts();
  const distinct = new Set(events.map(({ uniqueId }) => uniqueId)).size;
  report.promise('arrived exactly once, by unique_id', events.length === COUNT && distinct === COUNT, distinct);
  report.promise('stored as DELIVERED', counts.delivered === COUNT, counts.delivered);
  report.promise('with more than one attempt', counts.repeated === 0, counts.repeated);
  const attempts = await deliveries.attempts();
  report.promise('attempts on record', attempts === COUNT, attempts);
  const requests = eventRequests + bulkRequests;
  report.figure('requests: in bulk, one by one', `${bulkRequests.toLocaleString('en')}, ${eventRequests.toLocaleString('en')}`);
  report.figure('events sent twice', duplicates.toLocaleString('en'));
  report.promise('answers 429 (at most 1 in 100)', throttled <= requests / 100, throttled);
  const times = events.map(({ receivedAt }) => Date.parse(receivedAt));
  report.figure('most in a second, and in a minute', `${busiest(times, 1_000)}, ${busiest(times, 60_000)}`);
  const { late, furthest } = disorder(events.map(({ properties }) => parcelNumber(properties)));
  report.figure('arrived after one that was created later', late);
  report.figure('furthest from its place', furthest);
  report.figure('from the consent to the last arrival', `${(((times.at(-1) ?? Number.NaN) - startedAt) / 1_000).toFixed(1)} s`);
}

/** Returns the most arrivals in one window of time. */
function busiest(times: readonly number[], windowMs: number): number {
  const counts = new Map<number, number>();
  for (const time of times) counts.set(Math.floor(time / windowMs), (counts.get(Math.floor(time / windowMs)) ?? 0) + 1);
  return Math.max(0, ...counts.values());
}

/** Creates a webhook connection. Returns a function that publishes to it for some seconds and returns the latencies. */
async function healthyConnection(bench: Bench, type: string): Promise<(seconds: number) => Promise<number[]>> {
  await bench.subscribe('/fast', type);
  const signal = createDeliverySignal({ database: bench.database });
  const wake = { wake: () => signal.notify() };
  return (seconds) => measureLatency(bench, wake, [type], HEALTHY_PER_SECOND, seconds);
}

const only = process.argv[2];
const bench = await Bench.open();
const klaviyo = await startStandaloneSandbox();
try {
  for (const processes of [1, 2]) if (!only || Number(only) === processes) await held(bench, klaviyo, processes);
  report.end();
} finally {
  await klaviyo.close();
  await bench.close();
}
