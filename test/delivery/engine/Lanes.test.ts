import { expect, it } from 'vitest';
import type { ClaimedDelivery } from '../../../src/delivery/engine/claimDeliveries.js';
import { Lanes } from '../../../src/delivery/engine/Lanes.js';

const CONNECTION = 1;
const claims = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    id: `${index}`,
    connectionId: CONNECTION,
    known: false,
  })) as unknown as ClaimedDelivery[];

/** Returns lanes after a claim of as many deliveries as a connection may have, all of which have a result. */
function afterFullClaim(pauseMs: number): Lanes {
  const lanes = new Lanes({ concurrency: 16, concurrencyPerConnection: 2 });
  const busy = lanes.begin();
  lanes.add(claims(2), busy, lanes.window());
  for (let started = lanes.start(); started.length > 0; started = lanes.start()) {
    for (const claim of started) lanes.done(claim, 'good');
  }
  if (pauseMs > 0) lanes.pause(CONNECTION, pauseMs);
  return lanes;
}

it('A connection that was claimed up to its limit is hungry once those deliveries have a result', () => {
  expect(afterFullClaim(0).hungry()).toBe(true);
});

it('A connection that is paused is not hungry, because nothing would be claimed for it', () => {
  const lanes = afterFullClaim(60_000);
  expect(lanes.hungry()).toBe(false);
  const busy = lanes.begin();
  expect(busy).toEqual({ [CONNECTION]: 0 });
  lanes.add([], busy, lanes.window());
  expect(lanes.hungry()).toBe(false);
});

it('An untried connection makes one attempt first, and as many as allowed once that has succeeded', () => {
  const lanes = new Lanes({ concurrency: 16, concurrencyPerConnection: 4 });
  lanes.add(claims(4), lanes.begin(), 1);
  const first = lanes.start();
  expect(first).toHaveLength(1);
  expect(lanes.start()).toHaveLength(0);
  for (const claim of first) lanes.done(claim, 'good');
  expect(lanes.start()).toHaveLength(3);
});

it('Failing connections share a quarter of the places', () => {
  const lanes = new Lanes({ concurrency: 16, concurrencyPerConnection: 4 });
  const failing = Array.from(
    { length: 20 },
    (_, id) => ({ id: `${id}`, connectionId: 100 + id, known: true, failing: true }) as ClaimedDelivery,
  );
  lanes.add([...failing, ...claims(1)], lanes.begin(), 1);
  const started = lanes.start();
  expect(started.filter(({ connectionId }) => connectionId >= 100)).toHaveLength(4);
  expect(started.filter(({ connectionId }) => connectionId === CONNECTION)).toHaveLength(1);
  expect(lanes.failingRoom()).toBe(0);
});
