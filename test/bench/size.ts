import { randomUUID } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { sql } from 'kysely';
import { claimDeliveries, nextReadyInMs } from '../../src/delivery/engine/claimDeliveries.js';
import { openEnginePool } from '../../src/delivery/engine/openEnginePool.js';
import { createResolver } from '../../src/delivery/http/resolver.js';
import { Bench } from './support/Bench.js';
import { measureLatency } from './support/measureLatency.js';
import { median, percentile } from './support/percentile.js';
import { Report } from './support/Report.js';
import { samplePayload } from './support/samplePayload.js';

/**
 * Measures what delivery costs with very many connections: `npm run bench:size`, all of it or one part: `-- waiting` or
 * `sick`. Fails when a promise is broken.
 */
const report = new Report();
const ms = (value: number): string => `${value.toFixed(1)} ms`;

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** Adds connections to a URL, each with a subscription to `type` and its number. `%` in the URL stands for the number. */
async function addConnections(bench: Bench, type: string, count: number, url: string, status = 'active'): Promise<void> {
  await sql`
    with made as (
      insert into connections (organization_id, type, status, configuration)
      select ${bench.organizationId}::bigint, 'webhook', ${status},
        jsonb_build_object('url', replace(${url}, '%', n::text), 'authType', 'none', 'extraHeaders', '[]'::jsonb, 'n', n)
      from generate_series(1, ${count}::int) n
      returning id, configuration ->> 'n' as n
    )
    insert into subscriptions (organization_id, connection_id, event_type)
    select ${bench.organizationId}::bigint, id, ${type} || '.' || n from made`.execute(bench.database.sql());
}

/** Adds `each` events for every connection of a type, with deliveries in a status. */
async function addDeliveries(bench: Bench, type: string, each: number, status = 'pending', dueInSeconds = 0): Promise<void> {
  const payload = samplePayload();
  for (let round = 0; round < each; round++) {
    await sql`
      with targets as (
        select s.id, s.connection_id, s.event_type, gen_random_uuid() as event_id from subscriptions s
        where s.organization_id = ${bench.organizationId}::bigint and s.event_type like ${`${type}.%`}
      ), published as (
        insert into events (id, organization_id, event_type, payload)
        select event_id, ${bench.organizationId}::bigint, event_type, ${payload}::json from targets
      )
      insert into deliveries (id, organization_id, event_id, subscription_id, connection_id, event_type, status, due_at)
      select gen_random_uuid(), ${bench.organizationId}::bigint, event_id, id, connection_id, event_type, ${status},
        now() + ${dueInSeconds} * interval '1 second' from targets`.execute(bench.database.sql());
  }
}

/** Measures a claim for one ready connection beside 30,000 connections whose deliveries are due later. */
async function waiting(bench: Bench): Promise<void> {
  await addConnections(bench, 'later', 20_000, `${bench.receiver.origin}/fast`);
  await addDeliveries(bench, 'later', 2, 'retrying', 3_600);
  await addConnections(bench, 'paused', 10_000, `${bench.receiver.origin}/dead`);
  await addDeliveries(bench, 'paused', 2);
  await sql`
    insert into connection_health (connection_id, consecutive_failures, failing_since, pauses, paused_until)
    select connection_id, 20, now(), 5, now() + interval '1 hour' from subscriptions where event_type like 'paused.%'`.execute(
    bench.database.sql(),
  );
  await bench.subscribe('/fast', 'ready');
  await bench.tidy();
  const pool = openEnginePool({ url: bench.database.url, max: 1, name: 'bench-claims', asynchronousCommit: true }, silent);
  const claim = () =>
    claimDeliveries(pool, {
      limit: 200,
      perConnection: 64,
      busy: {},
      failing: 64,
      new: 128,
      lease: randomUUID(),
      leaseMs: 30_000,
    });
  // The paused ones are visited once, and then leave the queue.
  for (let round = 0; round < 100; round++) await claim();
  const times: number[] = [];
  let taken = 0;
  for (let round = 0; round < 200; round++) {
    await bench.publish('ready', [samplePayload()]);
    const startedAt = performance.now();
    const claimed = await claim();
    times.push(performance.now() - startedAt);
    taken += claimed.length;
    await sql`update deliveries set status = 'delivered', leased_until = null where id = ${claimed[0]?.id}`.execute(
      bench.database.sql(),
    );
  }
  const looks: number[] = [];
  for (let round = 0; round < 50; round++) {
    const startedAt = performance.now();
    await nextReadyInMs(pool);
    looks.push(performance.now() - startedAt);
  }
  await pool.end();
  report.title('30,000 connections that wait, and one that is ready');
  report.promise('each claim takes the one delivery that is ready', taken === 200, taken);
  report.promise('a claim, p50: at most 10 ms', median(times) <= 10, ms(median(times)));
  report.figure('… p95', ms(percentile(times, 95)));
  report.figure('a look for what is ready next, p50', ms(median(looks)));
}

/** Measures 200 events a second beside 10,000 connections of which 4,600 fail. */
async function sick(bench: Bench): Promise<void> {
  const healthy = 5_400;
  await addConnections(bench, 'healthy', healthy, `${bench.receiver.origin}/fast`);
  await bench.tidy();
  const types = Array.from({ length: healthy }, (_, index) => `healthy.${index + 1}`);
  const nobody = createSocket('udp4');
  // This DNS server responds that no name exists, and does not respond for the silent ones.
  nobody.on('message', (query, { port, address }) => {
    if (query.includes('silent-')) return;
    query.writeUInt16BE(0x8183, 2);
    nobody.send(query, port, address);
  });
  await new Promise<void>((resolve) => nobody.bind(0, '127.0.0.1', resolve));
  const lookup = createResolver({ servers: [`127.0.0.1:${nobody.address().port}`] });
  const measure = async (seconds: number): Promise<number[]> => {
    const engine = await bench.engine({}, lookup);
    const latencies = await measureLatency(bench, engine, types, 200, seconds);
    await engine.stop();
    return latencies;
  };
  await measure(5);
  const alone = percentile(await measure(20), 95);

  await addConnections(bench, 'hanging', 2_000, `${bench.receiver.origin}/hang`);
  await addConnections(bench, 'failing', 2_000, `${bench.receiver.origin}/dead`);
  await addConnections(bench, 'off', 500, `${bench.receiver.origin}/fast`, 'disabled');
  await addConnections(bench, 'unresolved', 100, 'http://silent-%.example/hook');
  for (const type of ['hanging', 'failing', 'unresolved']) await addDeliveries(bench, type, 20);
  await addDeliveries(bench, 'off', 20, 'held');
  await bench.tidy();
  // The first seconds are reported separately: in them the engine finds out which connections fail.
  const atFirst = await measure(25);
  const beside = await measure(40);
  const { rows } = await sql<{ what: string; count: number }>`
    select 'lost' as what, count(*)::int as count from deliveries
    where event_type like 'healthy.%' and status <> 'delivered'
    union all
    select 'cancelled', count(*)::int from deliveries where status = 'cancelled'
    union all
    select 'blamed', count(*)::int from connection_health h join subscriptions s on s.connection_id = h.connection_id
    where h.consecutive_failures > 0 and (s.event_type like 'healthy.%' or s.event_type like 'off.%')`.execute(
    bench.database.sql(),
  );
  nobody.close();
  const p95 = percentile(beside, 95);
  report.title('200 events a second for 5,400 healthy connections');
  report.figure('alone, p95', ms(alone));
  report.figure('with 2,000 that begin to hang, 2,000 that begin to fail, … 25 s, p50', ms(percentile(atFirst, 50)));
  report.figure('… p95', ms(percentile(atFirst, 95)));
  report.figure('then, with 2,000 that hang, 2,000 that fail, 500 off, 100 not resolved, p50', ms(percentile(beside, 50)));
  report.promise('… p95: at most twice what it is alone', p95 <= 2 * alone, ms(p95));
  report.figure('… p99', ms(percentile(beside, 99)));
  for (const { what, count } of rows) report.promise(`none ${what}`, count === 0, count);
}

const parts: Record<string, (bench: Bench) => Promise<void>> = { waiting, sick };
const only = process.argv[2];
for (const [name, part] of Object.entries(parts)) {
  if (only && only !== name) continue;
  const bench = await Bench.open();
  try {
    await part(bench);
  } finally {
    await bench.close();
  }
}
report.end();
