import type { ConnectionRules } from './connections/ConnectionRules.js';
import type { Cipher } from './database/Cipher.js';
import type { Database } from './database/Database.js';
import type { Destination } from './delivery/Destination.js';
import type { GuardedHttp } from './delivery/http/guardedHttp.js';
import type { ConnectionTypeView, SchemaPart } from './graphql/connections/ConnectionTypeView.js';
import type { RestPart } from './http/rest/RestPart.js';
import type { ProviderAccessToken } from './oauth/getProviderAccessToken.js';
import type { Provider } from './oauth/Provider.js';

/**
 * A kind of place that events can go to: everything that the server has to know of it, in one module. `compose.ts` lists the
 * modules; no other room names one. Each room declares the part that it asks for.
 */
export interface ConnectionType<Services = ConnectionServices>
  extends Pick<ConnectionRules, 'name' | 'needsAuthorization' | 'needsConfiguration'> {
  /** What it adds to the GraphQL schema. */
  readonly graphql: SchemaPart;
  /** Its configuration in REST's bodies and answers. */
  readonly rest: RestPart;
  /** Called once, when the process starts. */
  open(services: Services): OpenConnectionType;
}

/** A connection type at work. */
export interface OpenConnectionType extends Pick<ConnectionRules, 'check' | 'warn'>, ConnectionTypeView {
  readonly destination: Destination;
  /**
   * The OAuth side, whose `id` is the type's name. Null: the type needs none, or `needsAuthorization` and this server is not
   * set up for it.
   */
  readonly provider: Provider | null;
  /** What is done by the clock, by one process at a time. */
  readonly chores?: readonly CountedChore[];
}

export interface CountedChore {
  readonly name: string;
  /** Five fields, UTC. */
  readonly cron: string;
  /** Returns how much there was to do. Long work ends early when the signal says that the process stops. */
  work(stopping: AbortSignal): Promise<number>;
}

/** What a process has for connection types. */
export interface ConnectionServices {
  readonly database: Database;
  /** The same database, by connections that deliveries don't share with callers. */
  readonly workDatabase: Database;
  readonly cipher: Cipher;
  /** Sends to addresses that merchants chose: only to public ones and those of `allowPrivateNetworks`. */
  readonly http: GuardedHttp;
  /** CIDRs. */
  readonly allowPrivateNetworks: readonly string[];
  /** Milliseconds that one exchange of a delivery may take. */
  readonly timeoutMs: number;
  /** Where a provider sends browsers back to. */
  redirectUri(type: string): string;
  /** A good token; given the version of one that was refused, a newer one. Throws GrantLost or a ProviderError. */
  accessToken(connectionId: number, refusedVersion?: number): Promise<ProviderAccessToken>;
  /** The grant can't do what is needed: the connection waits for a new authorization. */
  scopeMissing(connectionId: number, version: number, scope: string): Promise<void>;
}
