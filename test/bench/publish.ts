import pg from 'pg';
import { Cipher } from '../../src/database/Cipher.js';
import { newId } from '../../src/database/newId.js';
import { insertDeliveries } from '../../src/delivery/queue/insertDeliveries.js';
import { publishEvents } from '../../src/events/publishEvents.js';
import { createEventTypeRegistry } from '../../src/events/types/eventTypeRegistry.js';
import { eventTypes } from '../../src/events/types/eventTypes.js';
import { parcelEventCreated } from '../../src/events/types/parcelEvents.js';
import { Bench } from './support/Bench.js';
import { median } from './support/percentile.js';

const COUNT = Number(process.env.BENCH_COUNT ?? 4_000);
const CONCURRENCY = 16;
const ROUNDS = 3;

/** Does `count` pieces of work, `atOnce` of them concurrently. Returns pieces per second. */
async function rate(count: number, atOnce: number, work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  let left = count;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (left-- > 0) await work();
    }),
  );
  return count / ((performance.now() - startedAt) / 1_000);
}

const bench = await Bench.open();
const pool = new pg.Pool({ connectionString: bench.database.url, max: CONCURRENCY });
try {
  await bench.subscribe('/fast', parcelEventCreated.name);
  const dependencies = {
    database: bench.database,
    cipher: new Cipher([{ id: 'bench', key: Buffer.alloc(32, 7) }]),
    eventTypes: createEventTypeRegistry(eventTypes),
    insertDeliveries,
    deliverySignal: { notify() {} },
  };
  const caller = {
    organizationId: bench.organizationId,
    apiKeyId: 0,
    scopes: new Set(['publish'] as const),
    credential: 'api_key' as const,
    address: '127.0.0.1',
    session: null,
  };
  const input = { eventType: parcelEventCreated.name, data: parcelEventCreated.sample };
  const publish = (count: number) => publishEvents(dependencies, caller, Array(count).fill(input));
  // The minimal publisher: inserts one durable row, without a check or a delivery.
  const bareInsert = () =>
    pool.query('insert into events (id, organization_id, event_type, payload) values ($1, $2, $3, $4)', [
      newId(),
      bench.organizationId,
      'bench.bare',
      JSON.stringify(input.data),
    ]);

  const bare: number[] = [];
  const single: number[] = [];
  const batched: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const count = round === 0 ? 500 : COUNT;
    const rates = [
      await rate(count, CONCURRENCY, bareInsert),
      await rate(count, CONCURRENCY, () => publish(1)),
      1_000 * (await rate(Math.ceil(count / 400), 2, () => publish(1_000))),
    ] as const;
    // The first round is a warm-up.
    if (round === 0) continue;
    bare.push(rates[0]);
    single.push(rates[1]);
    batched.push(rates[2]);
  }
  const line = (what: string, value: number) =>
    console.log(`${what.padEnd(62)}  ${`${Math.round(value)}/s`.padStart(10)}  ${(value / median(bare)).toFixed(2)} of bare`);
  line('bare insert of one row, 16 at once', median(bare));
  line('publishEvent: checked, event and delivery in one transaction', median(single));
  line('publishEvents, 1,000 at once', median(batched));
} finally {
  await pool.end();
  await bench.close();
}
