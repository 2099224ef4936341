import type { Database } from '../../database/Database.js';
import type { ConnectionType } from '../../domain/Connection.js';
import type { Logger } from '../../domain/Logger.js';
import type { OperatorAlarm } from '../../domain/OperatorAlarm.js';
import type { Destination } from '../Destination.js';
import type { OnConnectionDisabled } from './disableConnection.js';
import type { EngineOptions } from './EngineOptions.js';

export interface DeliveryEngineDependencies {
  readonly database: Database;
  readonly destinations: ReadonlyMap<ConnectionType, Destination>;
  readonly log: Logger;
  /** Raised while nobody can be heard who has something to deliver. */
  readonly alarm?: OperatorAlarm;
  readonly onConnectionDisabled?: OnConnectionDisabled;
  /** The defaults are in `resolveEngineOptions`. */
  readonly options?: Partial<EngineOptions>;
}

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
