import type { AccessDependencies } from './access/limits.js';
import type { ConnectionRules } from './connections/ConnectionRules.js';
import type { Cipher } from './database/Cipher.js';
import type { Database, EntityManager } from './database/Database.js';
import type { Destination } from './delivery/Destination.js';
import type { Logger } from './domain/Logger.js';
import type { PublishDependencies } from './events/insertEvents.js';
import type { EventTypeRegistry } from './events/types/eventTypeRegistry.js';
import type { ConnectionTypeView } from './graphql/connections/ConnectionTypeView.js';
import type { ChangeFeed } from './live/ChangeFeed.js';
import type { CheckDependencies } from './oauth/checkConnection.js';
import type { GrantNotices } from './oauth/GrantNotices.js';
import type { ClaimDependencies } from './oauth/installs.js';
import type { Providers } from './oauth/Provider.js';
import type { Revocations } from './oauth/revokeAuthorization.js';
import type { SubscriptionDependencies } from './subscriptions/createSubscription.js';

/** What GraphQL resolvers and REST routes pass to the use cases. Each use case names the part that it needs. */
export interface UseCaseDependencies
  extends AccessDependencies,
    SubscriptionDependencies,
    PublishDependencies,
    CheckDependencies,
    ClaimDependencies {
  readonly eventTypes: EventTypeRegistry;
  readonly destinations: ReadonlyMap<string, Destination>;
  readonly database: Database;
  readonly cipher: Cipher;
  readonly log: Logger;
  /** By name. */
  readonly connectionTypes: ReadonlyMap<string, ConnectionRules & ConnectionTypeView>;
  readonly providers: Providers;
  readonly revocations: Revocations;
  readonly notices: GrantNotices;
  readonly sweepQueue: (em: EntityManager, connectionId: number) => Promise<unknown>;
  readonly releaseGrant: (em: EntityManager, connectionId: number) => Promise<void>;
  /** Has the background erase what is to be erased, once the transaction is committed. */
  readonly wakeErasing: (em: EntityManager) => Promise<void>;
  readonly changes: ChangeFeed;
  /** The URL at which callers reach this server. */
  readonly publicUrl: string;
  readonly returnToOrigins: readonly string[];
}
