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
 * A connection type: everything that the server needs to know about it, in one module. `compose.ts` lists the modules, and no
 * other folder names one. Each folder declares the part that it needs.
 */
export interface ConnectionType<Services = ConnectionServices>
  extends Pick<ConnectionRules, 'name' | 'needsAuthorization' | 'needsConfiguration'> {
  /** What the type adds to the GraphQL schema. */
  readonly graphql: SchemaPart;
  /** The type's configuration in REST bodies and responses. */
  readonly rest: RestPart;
  /** Called once, when the process starts. */
  open(services: Services): OpenConnectionType;
}

/** A connection type in use by a process. */
export interface OpenConnectionType extends Pick<ConnectionRules, 'check' | 'warn'>, ConnectionTypeView {
  readonly destination: Destination;
  /**
   * The OAuth provider, whose `id` is the type's name. Null when the type needs none, or when `needsAuthorization` is true and
   * this server is not configured for it.
   */
  readonly provider: Provider | null;
  /** Periodic chores, each done by one process at a time. */
  readonly chores?: readonly CountedChore[];
}

export interface CountedChore {
  readonly name: string;
  /** Cron expression of five fields, in UTC. */
  readonly cron: string;
  /** Does the chore and returns how many items it handled. Long work ends early when the signal says that the process stops. */
  work(stopping: AbortSignal): Promise<number>;
}

/** What a process provides to connection types. */
export interface ConnectionServices {
  readonly database: Database;
  /** The same database through a pool that deliveries do not share with callers. */
  readonly workDatabase: Database;
  readonly cipher: Cipher;
  /** Sends requests to addresses that merchants choose: only to public ones and those of `allowPrivateNetworks`. */
  readonly http: GuardedHttp;
  /** CIDRs. */
  readonly allowPrivateNetworks: readonly string[];
  /** Maximum milliseconds of one exchange of a delivery. */
  readonly timeoutMs: number;
  /** Returns the URL to which a provider sends browsers back. */
  redirectUri(type: string): string;
  /**
   * Returns a valid access token. Given the version of a refused token, it returns a newer one. Throws GrantLost or a
   * ProviderError.
   */
  accessToken(connectionId: number, refusedVersion?: number): Promise<ProviderAccessToken>;
  /** Called when the grant lacks a scope. The connection then waits for a new authorization. */
  scopeMissing(connectionId: number, version: number, scope: string): Promise<void>;
}
