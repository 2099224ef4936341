import { Bench } from './support/Bench.js';
import { bareLoop } from './support/bareLoop.js';
import { measureLatency } from './support/measureLatency.js';
import { median, percentile } from './support/percentile.js';
import { samplePayload } from './support/samplePayload.js';

const COUNT = Number(process.env.BENCH_COUNT ?? 20_000);
const ROUNDS = 5;
/** Attempts at once: the engine's default limit of one connection. */
const CONCURRENCY = 64;

/**
 * A line of the report. Run it with `npm run bench:delivery`, all of it or one part: `-- throughput`, `latency`, `dead` or
 * `slow`.
 */
type Line = readonly [what: string, figure: string, ratio: string];
const ms = (value: number) => `${value.toFixed(1)} ms`;

/**
 * Measures the rates of a bare undici loop and of the engine in turn, and compares neighbouring rounds, because the
 * machine's speed varies. The engine's time ends when the last result is in the database.
 */
async function throughput(bench: Bench): Promise<Line[]> {
  const connectionId = await bench.subscribe('/fast', 'bench.fast');
  const url = `${bench.receiver.origin}/fast`;
  const payload = samplePayload();
  const body = `{"event_type":"bench.fast","data":${payload}}`;
  const bare: number[] = [];
  const engine: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const count = round === 0 ? 3_000 : COUNT;
    const bareRate = await bareLoop(url, body, count, CONCURRENCY);
    await bench.publishMany('bench.fast', count, payload);
    await bench.receiver.reset();
    const running = await bench.engine();
    await bench.receiver.waitFor(1);
    const startedAt = performance.now();
    await bench.receiver.waitFor(count);
    await bench.settled(connectionId);
    const rate = count / ((performance.now() - startedAt) / 1_000);
    await running.stop();
    // The first round is a warm-up for both.
    if (round > 0) {
      bare.push(bareRate);
      engine.push(rate);
    }
  }
  return [
    ['bare undici loop', `${Math.round(median(bare))}/s`, ''],
    [
      'delivered: claimed, signed, received, attempts stored',
      `${Math.round(median(engine))}/s`,
      `${median(engine.map((rate, round) => rate / (bare[round] ?? 1))).toFixed(2)} of bare`,
    ],
  ];
}

async function latency(bench: Bench): Promise<Line[]> {
  await bench.subscribe('/fast', 'bench.latency');
  const engine = await bench.engine();
  const latencies = await measureLatency(bench, engine, ['bench.latency'], 200, 10);
  await engine.stop();
  return [
    ['publish → received at 200 events/s, p50', ms(percentile(latencies, 50)), ''],
    ['publish → received at 200 events/s, p95', ms(percentile(latencies, 95)), ''],
    ['publish → received at 200 events/s, p99', ms(percentile(latencies, 99)), ''],
  ];
}

/** Measures healthy connections alone, then beside an obstacle. */
async function beside(bench: Bench, what: string, name: string, obstacle: () => Promise<void>): Promise<Line[]> {
  const types = Array.from({ length: 100 }, (_, index) => `bench.${name}.healthy_${index}`);
  for (const type of types) await bench.subscribe('/fast', type);
  const measure = async () => {
    const engine = await bench.engine();
    const latencies = await measureLatency(bench, engine, types, 200, 10);
    await engine.stop();
    return percentile(latencies, 95);
  };
  await measure();
  const alone = [await measure(), await measure(), await measure()];
  await obstacle();
  // The database's clean-up after so many inserts is not measured here.
  await bench.tidy();
  const inTheWay = [await measure(), await measure(), await measure()];
  return [
    [`100 healthy connections at 200 events/s, p95`, ms(median(alone)), ''],
    [`… ${what}, p95`, ms(median(inTheWay)), `${(median(inTheWay) / median(alone)).toFixed(2)} × alone`],
  ];
}

const bench = await Bench.open();
try {
  const only = process.argv[2];
  const parts: Record<string, () => Promise<Line[]>> = {
    throughput: () => throughput(bench),
    latency: () => latency(bench),
    dead: () =>
      beside(bench, 'with 100,000 due deliveries of a dead connection in the way', 'dead', async () => {
        await bench.subscribe('/dead', 'bench.dead');
        await bench.publishMany('bench.dead', 100_000, samplePayload());
      }),
    slow: () =>
      beside(bench, 'with one receiver that answers in 10 s', 'slow', async () => {
        await bench.subscribe('/slow', 'bench.slow');
        await bench.publishMany('bench.slow', 10_000, samplePayload());
      }),
  };
  const lines: Line[] = [];
  for (const [name, part] of Object.entries(parts)) if (!only || only === name) lines.push(...(await part()));
  const width = Math.max(...lines.map(([what]) => what.length));
  for (const [what, figure, ratio] of lines) console.log(`${what.padEnd(width)}  ${figure.padStart(10)}  ${ratio}`);
} finally {
  await bench.close();
}
