import type { AccessDependencies } from '../access/limits.js';
import type { ConnectionRules } from '../connections/checkConfiguration.js';
import type { Cipher } from '../database/Cipher.js';
import type { Database, EntityManager } from '../database/Database.js';
import type { Destination } from '../delivery/Destination.js';
import type { ConnectionType } from '../domain/Connection.js';
import type { Logger } from '../domain/Logger.js';
import type { PublishDependencies } from '../events/publishEvents.js';
import type { EventTypeRegistry } from '../events/types/eventTypeRegistry.js';
import type { ChangeFeed } from '../live/ChangeFeed.js';
import type { CheckDependencies } from '../oauth/checkConnection.js';
import type { ClaimDependencies } from '../oauth/installs.js';
import type { Provider } from '../oauth/Provider.js';
import type { Revocations } from '../oauth/revokeAuthorization.js';
import type { GrantNotices } from '../oauth/storeGrant.js';
import type { SubscriptionDependencies } from '../subscriptions/createSubscription.js';

/** What is left of one limit of an account at a provider. */
export interface AccountQuota {
  readonly account: string;
  readonly endpoint: string;
  readonly perSecondLimit: number;
  readonly perSecondRemaining: number;
  readonly perMinuteLimit: number;
  readonly perMinuteRemaining: number;
  readonly resetsAt: Date;
  readonly pausedUntil: Date | null;
}

/** What the resolvers hand on to the use cases; each use case names the part that it needs. */
export interface GraphQLDependencies
  extends AccessDependencies,
    SubscriptionDependencies,
    PublishDependencies,
    CheckDependencies,
    ClaimDependencies {
  readonly eventTypes: EventTypeRegistry;
  readonly destinations: ReadonlyMap<ConnectionType, Destination>;
  readonly database: Database;
  readonly cipher: Cipher;
  readonly log: Logger;
  readonly connectionRules: ConnectionRules;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly revocations: Revocations;
  readonly notices: GrantNotices;
  readonly sweepQueue: (em: EntityManager, connectionId: number) => Promise<unknown>;
  readonly releaseGrant: (em: EntityManager, connectionId: number) => Promise<void>;
  readonly changes: ChangeFeed;
  /** Of accounts, by the provider's ids, as far as anything was sent there within the last minute. */
  readonly accountQuotas: (accounts: readonly string[]) => Promise<AccountQuota[]>;
  readonly returnToOrigins: readonly string[];
  readonly publicUrl: string;
}
