import { setTimeout as sleep } from 'node:timers/promises';
import { Bench } from './support/Bench.js';
import { Deliveries } from './support/Deliveries.js';
import { Fleet, type FleetServer } from './support/Fleet.js';
import { MortalPostgres } from './support/MortalPostgres.js';
import type { Arrival } from './support/Receiver.js';
import { Report } from './support/Report.js';
import { samplePayload } from './support/samplePayload.js';

/**
 * Measures what a crash costs: `npm run bench:crash`, or one part of it: `-- worker`, `-- postgres`. Two processes deliver.
 * In the middle one of them, or Postgres itself, is killed (SIGKILL) and started again.
 */
const COUNT = Number(process.env.BENCH_COUNT ?? 20_000);
/** Milliseconds until the receiver responds, so that many deliveries are in flight at the crash. */
const ANSWER_MS = Number(process.env.BENCH_ANSWER_MS ?? 50);
/** Milliseconds for which Postgres stays stopped. */
const OUTAGE_MS = Number(process.env.BENCH_OUTAGE_MS ?? 3_000);
const LIMIT_MS = 5 * 60_000;
/** Maximum deliveries that a claim can add between the last count and the crash. */
const MAX_CLAIM = 500;

interface Run {
  readonly deliveries: Deliveries;
  readonly arrivals: readonly Arrival[];
  readonly settled: boolean;
}

const report = new Report();
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

/** Publishes all events, calls `disturb` when two fifths have arrived, and waits until no delivery waits any more. */
async function run(bench: Bench, fleet: Fleet, name: string, disturb: (deliveries: Deliveries) => Promise<void>): Promise<Run> {
  return Promise.race([fleet.broken, runThrough(bench, name, disturb)]);
}

async function runThrough(bench: Bench, name: string, disturb: (deliveries: Deliveries) => Promise<void>): Promise<Run> {
  const type = `bench.crash.${name}`;
  const deliveries = new Deliveries(bench.database, await bench.subscribe(`/kept/${ANSWER_MS}`, type));
  await bench.receiver.reset();
  await bench.publishMany(type, COUNT, samplePayload());
  await bench.receiver.waitFor(Math.floor(COUNT * 0.4));
  await disturb(deliveries);
  const settled = await deliveries.until(({ waiting }) => waiting === 0, LIMIT_MS);
  return { deliveries, settled, arrivals: (await bench.receiver.report()).arrivals };
}

/**
 * Checks the promises that hold after every crash. `atStake` is the number of deliveries that may have been sent without a
 * recorded result.
 */
async function check({ deliveries, settled, arrivals }: Run, fleet: Fleet, atStake: number): Promise<void> {
  const counts = await deliveries.counts();
  const arrived = new Set(arrivals.map(({ id }) => id)).size;
  const repeated = arrivals.length - arrived;
  report.promise('delivered at least once, by webhook-id', arrived === COUNT, arrived);
  report.promise('lost', arrived === COUNT, COUNT - arrived);
  report.promise('stored as DELIVERED', settled && counts.delivered === COUNT, counts.delivered);
  report.promise(`arrived once more (at most what was in flight: ${format(atStake)})`, repeated <= atStake, repeated);
  report.figure('requests, and attempts on record', `${format(arrivals.length)}, ${format(await deliveries.attempts())}`);
  const ready = await fleet.ready();
  report.promise('processes that live, and say they are ready', ready === fleet.size, `${ready} of ${fleet.size}`);
}

async function killWorker(bench: Bench): Promise<void> {
  report.title(`${format(COUNT)} deliveries, two processes; one is killed, another started`);
  const fleet = await Fleet.open(bench);
  try {
    const [victim] = [await fleet.start(), await fleet.start()] as [FleetServer, FleetServer];
    let killedAt = 0;
    let startedIn = 0;
    let orphaned = 0;
    const result = await run(bench, fleet, 'worker', async (deliveries) => {
      await fleet.kill(victim);
      killedAt = Date.now();
      await fleet.start();
      startedIn = Date.now() - killedAt;
      orphaned = await leftBehind(deliveries);
    });
    await check(result, fleet, orphaned);
    const healthy = result.arrivals.length - orphaned - 1;
    report.figure('another process ready after', seconds(startedIn));
    report.figure(
      'everything but what the killed one held arrived after',
      seconds((result.arrivals[healthy]?.at ?? 0) - killedAt),
    );
    report.figure(
      'what it held arrived after (its leases have to run out)',
      seconds((result.arrivals.at(-1)?.at ?? 0) - killedAt),
    );
  } finally {
    await fleet.stop();
  }
}

/**
 * Resolves when the remaining processes have nothing left to do. Returns how many deliveries are still leased by the killed
 * one.
 */
async function leftBehind(deliveries: Deliveries): Promise<number> {
  let before = -1;
  let left = 0;
  await deliveries.until(({ waiting, leased }) => {
    const still = waiting === leased && leased === before;
    before = leased;
    left = leased;
    return still;
  }, LIMIT_MS);
  return left;
}

async function killPostgres(bench: Bench, postgres: MortalPostgres): Promise<void> {
  report.title(`${format(COUNT)} deliveries, two processes; Postgres is killed and back after ${seconds(OUTAGE_MS)}`);
  const fleet = await Fleet.open(bench);
  try {
    await Promise.all([fleet.start(), fleet.start()]);
    let atStake = 0;
    let startedIn = 0;
    let backAt = 0;
    const result = await run(bench, fleet, 'postgres', async (deliveries) => {
      atStake = (await deliveries.leased()) + MAX_CLAIM * fleet.size;
      await postgres.kill();
      await sleep(OUTAGE_MS);
      const startingAt = Date.now();
      await postgres.startAgain();
      backAt = Date.now();
      startedIn = backAt - startingAt;
    });
    const settledAt = Date.now();
    await check(result, fleet, atStake);
    const after = result.arrivals.filter(({ at }) => at > backAt);
    report.figure('Postgres recovered in', seconds(startedIn));
    report.figure('the first delivery arrived after that', seconds((after[0]?.at ?? Number.NaN) - backAt));
    report.figure('the last delivery arrived after that', seconds((after.at(-1)?.at ?? Number.NaN) - backAt));
    report.figure('everything was stored after that', seconds(settledAt - backAt));
  } finally {
    await fleet.stop();
  }
}

function format(count: number): string {
  return count.toLocaleString('en');
}

const only = process.argv[2];
const postgres = await MortalPostgres.start();
const bench = await Bench.open(postgres.url);
try {
  if (only !== 'postgres') await killWorker(bench);
  if (only !== 'worker') await killPostgres(bench, postgres);
  report.end();
} finally {
  await bench.close();
  await postgres.close();
}
