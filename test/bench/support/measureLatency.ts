import { setTimeout as sleep } from 'node:timers/promises';
import type { DeliveryEngine } from '../../../src/delivery/engine/DeliveryEngine.js';
import type { Bench } from './Bench.js';
import { samplePayload } from './samplePayload.js';

/**
 * Publishes single events at a fixed rate for some seconds, with the event types in turn. Returns for each the milliseconds
 * from the call of publish to its arrival. A late publish does not delay the next one, so the times are those of an open
 * system.
 */
export async function measureLatency(
  bench: Bench,
  engine: Pick<DeliveryEngine, 'wake'>,
  eventTypes: readonly string[],
  perSecond: number,
  seconds: number,
): Promise<number[]> {
  // The first second is not counted, because connections are opened and statements prepared in it.
  await publishAtRate(bench, engine, eventTypes, perSecond, 1);
  await sleep(200);
  await bench.receiver.reset();
  await publishAtRate(bench, engine, eventTypes, perSecond, seconds);
  await bench.receiver.waitFor(perSecond * seconds);
  return (await bench.receiver.report()).latencies;
}

async function publishAtRate(
  bench: Bench,
  engine: Pick<DeliveryEngine, 'wake'>,
  eventTypes: readonly string[],
  perSecond: number,
  seconds: number,
): Promise<void> {
  const startedAt = performance.now();
  const published: Promise<void>[] = [];
  for (let index = 0; index < perSecond * seconds; index++) {
    const wait = startedAt + (index * 1_000) / perSecond - performance.now();
    if (wait > 0) await sleep(wait);
    const type = eventTypes[index % eventTypes.length] as string;
    const payload = samplePayload(performance.timeOrigin + performance.now());
    published.push(bench.publish(type, [payload]).then(() => engine.wake()));
  }
  await Promise.all(published);
}
