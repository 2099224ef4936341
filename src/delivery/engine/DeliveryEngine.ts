import type pg from 'pg';
import type { Database } from '../../database/Database.js';
import { NotificationListener } from '../../database/NotificationListener.js';
import type { Logger } from '../../domain/Logger.js';
import type { OperatorAlarm } from '../../domain/OperatorAlarm.js';
import { WAKE_CHANNEL } from '../DeliverySignal.js';
import type { Destination } from '../Destination.js';
import { Attempts } from './Attempts.js';
import { ClaimLoop } from './ClaimLoop.js';
import { ConnectionCache } from './ConnectionCache.js';
import { DeliveryCounts } from './DeliveryCounts.js';
import { DEFAULTS, type EngineOptions } from './EngineOptions.js';
import { Lanes } from './Lanes.js';
import { type OnConnectionDisabled, Outcomes } from './Outcomes.js';
import { openEnginePool } from './openEnginePool.js';
import { handBack } from './Settlement.js';
import { Settler } from './Settler.js';
import { Sweeper } from './Sweeper.js';

export interface DeliveryEngineDependencies {
  /** A pool for the engine alone, so that it never waits for a database connection. */
  readonly database: Database;
  readonly destinations: ReadonlyMap<string, Destination>;
  readonly log: Logger;
  /** Raised while this process cannot listen for notifications. */
  readonly alarm?: OperatorAlarm;
  readonly onConnectionDisabled?: OnConnectionDisabled;
  readonly options?: Partial<EngineOptions>;
}

/** Time for a result to reach the database, in addition to the duration of an attempt. */
const LEASE_MARGIN_MS = 15_000;

export interface DeliveryEngine {
  /** Starts to claim. Does not wait for the database; the engine works whenever it is available. */
  start(): Promise<void>;
  /** Stops claiming, waits for attempts in flight, hands back those that do not end, and writes all results, within 10 s. */
  stop(): Promise<void>;
  /** Call it when something may be due. */
  wake(): void;
  /** Returns numbers for metrics. */
  stats(): EngineStats;
}

export interface EngineStats {
  /** Attempts in flight. */
  readonly running: number;
  /** Deliveries in flight and deliveries claimed ahead. */
  readonly held: number;
  /** Results that are not in the database yet. */
  readonly unsettled: number;
}

/**
 * Delivers the due rows of `deliveries`. Any number of engines in any number of processes share the table.
 *
 * The path of a delivery: `ClaimLoop` claims it under a lease (`claimDeliveries`). `Lanes` decides when it may be attempted.
 * `Attempts` sends it through its destination. `Settlement` turns the result into a new state. `Settler` writes that state.
 * `Outcomes` applies the consequences, and `DeliveryCounts` counts. Beside it, `Sweeper` applies changes of connections and
 * subscriptions.
 */
export function createDeliveryEngine(dependencies: DeliveryEngineDependencies): DeliveryEngine {
  const { database, destinations, log, alarm, onConnectionDisabled = async () => {} } = dependencies;
  const longestAttemptMs = Math.max(...[...destinations.values()].map(({ maxDurationMs }) => maxDurationMs));
  const options = { ...DEFAULTS, leaseMs: longestAttemptMs + LEASE_MARGIN_MS, ...dependencies.options };

  const common = { url: database.directUrl, watch: (client: pg.ClientBase) => database.watch(client) };
  const claimPool = openEnginePool({ ...common, max: 1, name: 'switchboard-claims', asynchronousCommit: true }, log);
  const settlePool = openEnginePool({ ...common, max: 1, name: 'switchboard-results' }, log);
  const followPool = openEnginePool({ ...common, max: 1, name: 'switchboard-outcomes' }, log);
  const connections = new ConnectionCache(claimPool, options.cachedConnections);
  const lanes = new Lanes(options, (connectionId) => {
    const connection = connections.get(connectionId);
    return connection && destinations.get(connection.type)?.batch;
  });
  const counts = new DeliveryCounts(database, options.countMs, (error) =>
    log.warn({ error: String(error) }, 'Could not add to the delivery statistics; trying again'),
  );
  const settler = new Settler({
    pool: settlePool,
    onSettled(batch) {
      counts.add(batch);
      outcomes.add(batch);
    },
    onTrouble: (error, unsettled) => log.error({ error: String(error), unsettled }, 'Could not write results; trying again'),
    onRefused: ({ id }, error) => log.error({ deliveryId: id, error: String(error) }, 'Postgres refused a result'),
  });
  const attempts = new Attempts({
    destinations,
    retryDelaysMs: options.retryDelaysMs,
    onDone: (claim, settlement) => loop.done(claim, settlement),
    onAlone: (claim) => loop.alone(claim),
    onFault: (claim, error) => log.error({ deliveryId: claim.id, error: String(error) }, 'A delivery failed by our own fault'),
  });
  const loop = new ClaimLoop({
    pool: claimPool,
    ...{ destinations, connections, lanes, attempts, settler, options, longestAttemptMs, log },
  });
  const outcomes = new Outcomes({
    ...{ database, pool: followPool, options, log, onConnectionDisabled },
    isCapped: (connectionId) => connections.isCapped(connectionId),
    onPaused: (connectionId) => {
      for (const claim of lanes.drop(connectionId)) settler.add(handBack(claim));
    },
    onChange: () => loop.wake(),
  });
  const sweeper = new Sweeper({
    ...{ database, pool: followPool, sweepMs: options.sweepMs },
    onSwept(changed) {
      attempts.endOverdue();
      if (changed) loop.wake();
    },
    onTrouble: (error) => log.warn({ error: String(error) }, 'Could not sweep the delivery queues; trying again'),
    onForgotten: (count) => log.warn({ count }, 'Found queues with waiting deliveries that their rows did not announce'),
  });
  const listener = new NotificationListener({
    ...{ database, alarm },
    channel: WAKE_CHANNEL,
    onNotification(payload) {
      loop.wake();
      if (payload === 'sweep') sweeper.wake();
    },
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
      await Promise.all([outcomes.close(500), within(500, counts.close())]);
      await within(500, Promise.all([claimPool.end(), settlePool.end(), followPool.end()]));
    },
    wake: () => loop.wake(),
    stats: () => ({ running: lanes.running, held: lanes.held, unsettled: settler.unsettled }),
  };
}

/** Waits for `work` at most `ms` milliseconds, so that an unavailable database cannot keep the process from stopping. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, enough]).catch(() => {});
  clearTimeout(timer);
}
