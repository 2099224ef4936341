import type pg from 'pg';
import { NotificationListener } from '../../database/NotificationListener.js';
import { Attempts } from './Attempts.js';
import { ClaimLoop } from './ClaimLoop.js';
import { ConnectionCache } from './ConnectionCache.js';
import type { DeliveryEngine, DeliveryEngineDependencies } from './DeliveryEngine.js';
import { resolveEngineOptions } from './EngineOptions.js';
import { Lanes } from './Lanes.js';
import { Outcomes } from './Outcomes.js';
import { openEnginePool } from './openEnginePool.js';
import { Settler } from './Settler.js';
import { Sweeper } from './Sweeper.js';
import { settleDeliveries } from './settleDeliveries.js';
import { handBack } from './toSettlement.js';
import { WAKE_CHANNEL } from './wakeChannel.js';

/** Delivers what is due in `deliveries` (DESIGN: Delivery). Any number of engines, in any number of processes, share the table. */
export function createDeliveryEngine(dependencies: DeliveryEngineDependencies): DeliveryEngine {
  const { database, destinations, log, alarm, onConnectionDisabled = async () => {} } = dependencies;
  const longestAttemptMs = Math.max(...[...destinations.values()].map(({ maxDurationMs }) => maxDurationMs));
  const options = resolveEngineOptions(dependencies.options ?? {}, longestAttemptMs);

  const { directUrl: url } = database;
  const watch = (client: pg.ClientBase) => database.watch(client);
  const claimPool = openEnginePool({ url, max: 1, name: 'switchboard-claims', asynchronousCommit: true, watch }, log);
  const settlePool = openEnginePool({ url, max: 2, name: 'switchboard-results', watch }, log);
  const lanes = new Lanes(options);
  const settler = new Settler({
    write: (batch, again) => settleDeliveries(settlePool, batch, again),
    onSettled: (batch) => outcomes.settled(batch),
    onTrouble: (error, unsettled) => log.error({ error: String(error), unsettled }, 'Could not write results; trying again'),
  });
  const attempts = new Attempts({
    destinations,
    retryDelaysMs: options.retryDelaysMs,
    onDone: (claim, settlement) => loop.done(claim, settlement),
    onFault: (claim, error) => log.error({ deliveryId: claim.id, error: String(error) }, 'A delivery failed by our own fault'),
  });
  const loop = new ClaimLoop({
    pool: claimPool,
    connections: new ConnectionCache(claimPool),
    lanes,
    attempts,
    settler,
    options,
    longestAttemptMs,
    log,
  });
  const sweeper = new Sweeper({
    database,
    pool: settlePool,
    sweepMs: options.sweepMs,
    releasePerSecond: options.releasePerSecond,
    onSwept(released) {
      attempts.endOverdue();
      if (released > 0) loop.wake();
    },
    onTrouble: (error) => log.warn({ error: String(error) }, 'Could not sweep the delivery queues; trying again'),
  });
  const outcomes = new Outcomes({
    database,
    pool: settlePool,
    options,
    log,
    loop,
    lanes,
    settler,
    sweeper,
    onConnectionDisabled,
  });
  const listener = new NotificationListener({
    ...{ database, alarm },
    channel: WAKE_CHANNEL,
    onNotification: () => loop.wake(),
    onConnected: () => loop.wake(),
    onTrouble: (error) => log.warn({ error: error.message }, 'Lost the connection that hears of new deliveries; reconnecting'),
  });

  return {
    async start() {
      loop.start();
      sweeper.start();
      await listener.start();
    },
    async stop() {
      await within(1_000, Promise.all([loop.stop(), sweeper.stop(), listener.close()]));
      for (const claim of lanes.drop()) settler.add(handBack(claim));
      await attempts.idle(options.stopGraceMs);
      await attempts.giveUp(300);
      await settler.flush(options.stopFlushMs);
      settler.close();
      outcomes.close();
      await within(500, Promise.all([claimPool.end(), settlePool.end()]));
    },
    wake: () => loop.wake(),
    stats: () => ({ running: lanes.running, held: lanes.held, unsettled: settler.unsettled }),
  };
}

/** While the database is away, nothing that waits for it may keep the process from stopping. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, enough]).catch(() => {});
  clearTimeout(timer);
}
