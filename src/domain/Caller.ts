import type { ApiKeyScope, PLATFORM_SCOPE } from './ApiKey.js';
import { SwitchboardError } from './errors.js';
import { parseId } from './ids.js';
import type { SessionPermission } from './Session.js';

/** The authenticated caller. Every use case takes one and touches nothing outside its organization. */
export interface Caller {
  readonly organizationId: number;
  /** The API key that was presented, or that created the presented access token or session. */
  readonly apiKeyId: number;
  readonly scopes: ReadonlySet<ApiKeyScope>;
  /** The kind of the presented credentials. */
  readonly credential: 'api_key' | 'access_token' | 'session' | 'platform_key';
  /** The IP address that the call comes from. */
  readonly address: string;
  /** Set when a browser calls with a session. */
  readonly session: CallingSession | null;
}

/** A platform that acts for no organization: it manages organizations, and touches no objects in them. */
export interface Platform {
  readonly organizationId: null;
  readonly apiKeyId: number;
  readonly scopes: ReadonlySet<typeof PLATFORM_SCOPE>;
  readonly credential: 'platform_key';
  /** The IP address that the call comes from. */
  readonly address: string;
  readonly session: null;
}

/** A session as a caller. */
export interface CallingSession {
  readonly id: string;
  readonly permissions: ReadonlySet<SessionPermission>;
  /** The only connection that the session may touch, with its subscriptions and deliveries; null: all of its organization. */
  readonly connectionId: number | null;
  /** The origin of the pages that may use the session, such as `https://app.example.com`; null: those that may use an API key. */
  readonly origin: string | null;
  /** Default `returnTo` of its authorizations. */
  readonly returnTo: string | null;
  /** BCP 47. */
  readonly locale: string | null;
  readonly expiresAt: Date;
}

/** An id that no row has: ids begin at 1. */
const NO_ID = 0;

/** Returns the connection to which a caller is confined; null when there is no such limit. */
export function onlyConnection({ session }: Caller): number | null {
  return session?.connectionId ?? null;
}

/** Returns the condition that selects a connection by id if the caller may touch it. A malformed id selects none. */
export function reachableConnection(caller: Caller, id: string | number): { id: number; organizationId: number } {
  const wanted = parseId(id) ?? NO_ID;
  const only = onlyConnection(caller) ?? wanted;
  return { id: only === wanted ? wanted : NO_ID, organizationId: caller.organizationId };
}

/** Returns the condition that selects the connections that the caller may touch. */
export function reachableConnections(caller: Caller): { organizationId: number; id?: number } {
  const only = onlyConnection(caller);
  return { organizationId: caller.organizationId, ...(only === null ? {} : { id: only }) };
}

/**
 * Returns the condition that selects the rows of connections (subscriptions, deliveries) that the caller may touch.
 * `connectionId` narrows it.
 */
export function reachableRows(
  caller: Caller,
  connectionId?: string | number | null,
): { organizationId: number; connectionId?: number } {
  const { organizationId } = caller;
  if (connectionId) return { organizationId, connectionId: reachableConnection(caller, connectionId).id };
  const only = onlyConnection(caller);
  return { organizationId, ...(only === null ? {} : { connectionId: only }) };
}

/** Throws FORBIDDEN for a session of one connection, when the call concerns no connection or would create another one. */
export function requireWholeOrganization(caller: Caller): void {
  if (onlyConnection(caller) === null) return;
  throw new SwitchboardError('FORBIDDEN', 'This session is for one connection alone.');
}
