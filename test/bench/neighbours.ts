import { fork } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { addApiKey } from '../../src/access/apiKeys.js';
import { createOrganization } from '../../src/access/createOrganization.js';
import type { ApiKeyScope } from '../../src/domain/ApiKey.js';
import { GraphQLClient } from '../support/GraphQLClient.js';
import { createWebhookConnection, parcelEvent, subscribe } from '../support/webhookFlow.js';
import type { AttackOrder, AttackOutcome } from './support/attackProcess.js';
import { attacks, type Target } from './support/attacks.js';
import { Bench } from './support/Bench.js';
import { basic } from './support/BenchServers.js';
import { Fleet } from './support/Fleet.js';
import { percentile } from './support/percentile.js';
import { Report } from './support/Report.js';
import { samplePayload } from './support/samplePayload.js';

/**
 * Measures what an organization notices while another organization's caller attacks, each attack for 20 s: `npm run
 * bench:neighbours`, or `-- 3 5` for the third and the fifth only. One server is a separate process; the attacker is
 * another.
 */
const SECONDS = Number(process.env.BENCH_SECONDS ?? 20);
const PER_SECOND = 20;
/** Connections of the attacker, which are listed, and counted by /metrics. */
const CONNECTIONS = 100;
const EVENTS = 60;
const HELD = Number(process.env.BENCH_COUNT ?? 100_000);
/** Maximum factor by which p95 may grow compared with the quiet time. */
const MOST = 2;

const PUBLISH = `mutation ($input: PublishEventInput!) { publishEvent(input: $input) { event { id } userErrors { code } } }`;
const READ =
  '{ connections(first: 20) { edges { node { id status } } } deliveries(first: 20) { edges { node { id status event { id } } } } }';

interface Noticed {
  readonly publishing: number[];
  readonly reading: number[];
  readonly failed: number;
}

/** Publishes and reads at a fixed rate, whether or not the previous calls were answered. */
async function live(client: GraphQLClient, seconds: number): Promise<Noticed> {
  const noticed = { publishing: [] as number[], reading: [] as number[], failed: 0 };
  const timed = async (times: number[], query: string, variables: object) => {
    const startedAt = performance.now();
    const { errors } = await client.send(query, variables);
    times.push(performance.now() - startedAt);
    if (errors) noticed.failed += 1;
  };
  const calls: Promise<void>[] = [];
  const startedAt = performance.now();
  for (let index = 0; index < PER_SECOND * seconds; index += 1) {
    const wait = startedAt + (index * 1_000) / PER_SECOND - performance.now();
    if (wait > 0) await sleep(wait);
    const input = { eventType: 'parcels.event.created', data: parcelEvent(index) };
    calls.push(timed(noticed.publishing, PUBLISH, { input }), timed(noticed.reading, READ, {}));
  }
  await Promise.all(calls.map((call) => call.catch(() => (noticed.failed += 1))));
  return noticed;
}

async function attack(order: AttackOrder): Promise<AttackOutcome> {
  const child = fork(fileURLToPath(new URL('support/attackProcess.js', import.meta.url)));
  // A real attacker has another machine, so this process must not take the server's time.
  if (child.pid) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  child.send(order);
  const [outcome] = (await once(child, 'message')) as [AttackOutcome];
  return outcome;
}

/** Creates an organization with many rows to ask for. It delivers nothing. */
async function prepareAttacker(bench: Bench, origin: string): Promise<Target> {
  const key = async (scopes: readonly ApiKeyScope[]) => {
    const { organizationId } = bench;
    const keys = await bench.database.transaction((em) => addApiKey({ em }, { organizationId, scopes }));
    return basic(keys.publicKey, keys.secretKey);
  };
  for (let index = 0; index < CONNECTIONS; index += 1) await bench.subscribe('/fast', 'bench.lists');
  await bench.subscribe('/fast', 'bench.held');
  await sql`update connections set status = 'disabled', status_reason = 'It was turned off.' where organization_id = ${bench.organizationId}`.execute(
    bench.database.sql(),
  );
  await bench.publishMany('bench.lists', EVENTS, samplePayload());
  await bench.publishMany('bench.held', HELD, samplePayload());
  await bench.tidy();
  return { origin, all: await key(['admin', 'manage', 'publish', 'read']), reading: await key(['read']) };
}

const report = new Report();
const only = new Set(process.argv.slice(2).map(Number));
const bench = await Bench.open();
const fleet = await Fleet.open(bench);
try {
  const { url } = await fleet.start();
  const target = await prepareAttacker(bench, url);
  const client = new GraphQLClient(`${url}/graphql`, await createOrganization({ database: bench.database }, 'Neighbour'));
  await subscribe(client, await createWebhookConnection(client, `${bench.receiver.origin}/kept/0`));
  await live(client, 5);
  const figures = (times: readonly number[]) => `${percentile(times, 50).toFixed(1)}, ${percentile(times, 95).toFixed(1)} ms`;
  const measured = async <T>(beside: Promise<T>): Promise<{ noticed: Noticed; lost: number; outcome: T }> => {
    await bench.receiver.reset();
    const [noticed, outcome] = await Promise.race([fleet.broken, Promise.all([live(client, SECONDS), beside])]);
    const wanted = noticed.publishing.length;
    await Promise.race([bench.receiver.waitFor(wanted), sleep(30_000)]);
    const { arrivals } = await bench.receiver.report();
    return { noticed, lost: wanted - new Set(arrivals.map(({ id }) => id)).size, outcome };
  };

  const { noticed: quiet } = await measured(Promise.resolve());
  report.title(`Quiet: ${PER_SECOND} events and ${PER_SECOND} questions a second`);
  report.figure('publishing, p50 and p95', figures(quiet.publishing));
  report.figure('reading, p50 and p95', figures(quiet.reading));
  for (const [index, { what, clients }] of attacks.entries()) {
    if (only.size > 0 && !only.has(index + 1)) continue;
    report.title(`${index + 1}. ${clients} × ${what}`);
    const { noticed, lost, outcome } = await measured(attack({ index, target, seconds: SECONDS }));
    const statuses = Object.entries(outcome.statuses).map(([status, count]) => `${count} × ${status}`);
    report.figure(`the attacker got, ${Math.ceil(outcome.largest / 1024)} KiB at most`, statuses.join(', '));
    report.promise('answers other than good ones, and events lost', noticed.failed + lost === 0, noticed.failed + lost);
    for (const kind of ['publishing', 'reading'] as const) {
      const ratio = percentile(noticed[kind], 95) / percentile(quiet[kind], 95);
      report.promise(`${kind}, p50 and p95: ${ratio.toFixed(2)} of the quiet p95`, ratio <= MOST, figures(noticed[kind]));
    }
  }
} finally {
  await fleet.stop();
  await bench.close();
}
report.end();
