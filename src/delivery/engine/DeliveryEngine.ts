import type pg from 'pg';
import type { Database } from '../../database/Database.js';
import { NotificationListener } from '../../database/NotificationListener.js';
import { DAY_MS, HOUR_MS } from '../../domain/duration.js';
import type { Logger } from '../../domain/Logger.js';
import type { OperatorAlarm } from '../../domain/OperatorAlarm.js';
import type { Destination } from '../Destination.js';
import { Attempts } from './Attempts.js';
import { ClaimLoop } from './ClaimLoop.js';
import { ConnectionCache } from './ConnectionCache.js';
import { Lanes } from './Lanes.js';
import { type OnConnectionDisabled, Outcomes } from './Outcomes.js';
import { openEnginePool } from './openEnginePool.js';
import { handBack } from './Settlement.js';
import { Settler } from './Settler.js';
import { Sweeper } from './Sweeper.js';

/** Name of the Postgres channel (LISTEN, NOTIFY) on which others wake the workers; `sweep` wakes their sweepers too. */
export const WAKE_CHANNEL = 'switchboard_deliveries';

export interface DeliveryEngineDependencies {
  /** The engine's own, where nobody else waits for a connection. */
  readonly database: Database;
  readonly destinations: ReadonlyMap<string, Destination>;
  readonly log: Logger;
  /** Raised while nobody can be heard who has something to deliver. */
  readonly alarm?: OperatorAlarm;
  readonly onConnectionDisabled?: OnConnectionDisabled;
  readonly options?: Partial<EngineOptions>;
}

/** What can be set about an engine. Durations in milliseconds. */
export interface EngineOptions {
  /** Before the first retry, the second, and so on. */
  readonly retryDelaysMs: readonly number[];
  /** Attempts that this process makes at once; see `Lanes` for those that wait long for an answer. */
  readonly concurrency: number;
  readonly concurrencyPerConnection: number;
  /** How long a claim holds; longer than an attempt can take. A killed worker's deliveries are due again after it. */
  readonly leaseMs: number;
  /** Longest wait before looking for due deliveries without having been told of any. */
  readonly pollMs: number;
  /** Between two looks for what has to be held, released or cancelled. */
  readonly sweepMs: number;
  readonly breaker: {
    /** Consecutive attempts without a good answer after which a connection is paused. */
    readonly failures: number;
    /** The first pause; each further one is twice as long. After it, one attempt probes. */
    readonly pauseMs: number;
    readonly maxPauseMs: number;
  };
  /** A connection that only failed for so long is disabled. */
  readonly disableAfterMs: number;
  /** That time begins anew with a failure that comes so long after the one before: nobody tried in between. */
  readonly silenceMs: number;
  /** What waited for so long is not sent any more. */
  readonly maxAgeMs: number;
  /** Connections kept in memory. */
  readonly cachedConnections: number;
  /** How long a stop waits for attempts under way before it hands them back. */
  readonly stopGraceMs: number;
  /** How long after that it waits for the database to take the results. */
  readonly stopFlushMs: number;
}

const DEFAULTS: Omit<EngineOptions, 'leaseMs'> = {
  retryDelaysMs: [5_000, 300_000, 1_800_000, 7_200_000, 18_000_000],
  concurrency: 256,
  concurrencyPerConnection: 64,
  pollMs: 1_000,
  sweepMs: 1_000,
  breaker: { failures: 10, pauseMs: 5_000, maxPauseMs: HOUR_MS },
  disableAfterMs: 5 * DAY_MS,
  silenceMs: DAY_MS,
  maxAgeMs: 30 * DAY_MS,
  cachedConnections: 5_000,
  stopGraceMs: 7_000,
  stopFlushMs: 2_000,
};

/** Time for a result to reach the database, on top of what an attempt takes. */
const LEASE_MARGIN_MS = 15_000;

export interface DeliveryEngine {
  /** Begins to claim. Does not wait for the database: the engine goes on by itself whenever that is there. */
  start(): Promise<void>;
  /**
   * Claims nothing more, lets what is under way finish, hands back what does not, and writes all results, within 10 s.
   */
  stop(): Promise<void>;
  /** Something may be due. */
  wake(): void;
  /** For metrics. */
  stats(): EngineStats;
}

export interface EngineStats {
  /** Attempts under way. */
  readonly running: number;
  /** Attempts under way and deliveries claimed ahead. */
  readonly held: number;
  /** Results that the database does not have yet. */
  readonly unsettled: number;
}

/**
 * Delivers what is due in `deliveries`. Any number of engines, in any number of processes, share the table.
 *
 * A delivery's way: `ClaimLoop` takes it under a lease (`claimDeliveries`), `Lanes` say when it may go, `Attempts` send it by
 * its destination, `Settlement` is what the result makes of it, `Settler` writes that, and `Outcomes` is what follows.
 * `Sweeper` does beside it what changes of connections and subscriptions ask for.
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
  const settler = new Settler({
    pool: settlePool,
    onSettled: (batch) => outcomes.add(batch),
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
    onForgotten: (count) => log.warn({ count }, 'Queues had deliveries waiting that nobody had said were there'),
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
      await outcomes.close(500);
      await within(500, Promise.all([claimPool.end(), settlePool.end(), followPool.end()]));
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
