import { expect, it } from 'vitest';
import type { ClaimedDelivery } from '../../../src/delivery/engine/claimDeliveries.js';
import { Lanes } from '../../../src/delivery/engine/Lanes.js';

const CONNECTION = 1;
const claims = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ id: `${index}`, connectionId: CONNECTION })) as unknown as ClaimedDelivery[];

/** As many as it may have at once were claimed of a connection, and all of them are over. */
function afterFullClaim(pauseMs: number): Lanes {
  const lanes = new Lanes({ concurrency: 16, concurrencyPerConnection: 2 });
  const busy = lanes.begin();
  lanes.add(claims(2), busy, lanes.window());
  for (const claim of lanes.start()) lanes.done(claim, null);
  if (pauseMs > 0) lanes.pause(CONNECTION, pauseMs);
  return lanes;
}

it('A connection of which as many were claimed as it may have is hungry once they are over', () => {
  expect(afterFullClaim(0).hungry()).toBe(true);
});

it('A connection that is paused is not hungry: nothing of it would be claimed', () => {
  const lanes = afterFullClaim(60_000);
  expect(lanes.hungry()).toBe(false);
  const busy = lanes.begin();
  expect(busy).toEqual({ [CONNECTION]: 0 });
  lanes.add([], busy, lanes.window());
  expect(lanes.hungry()).toBe(false);
});
