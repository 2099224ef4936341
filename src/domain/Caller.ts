import type { ApiKeyScope, PLATFORM_SCOPE } from './ApiKey.js';
import { SwitchboardError } from './errors.js';
import { parseId } from './ids.js';
import type { SessionPermission } from './Session.js';

/** Who is calling. Every use case takes one and touches nothing outside its organization. */
export interface Caller {
  readonly organizationId: number;
  /** The key that calls, or that made the access token or the session that does. */
  readonly apiKeyId: number;
  readonly scopes: ReadonlySet<ApiKeyScope>;
  /** What they presented. */
  readonly credential: 'api_key' | 'access_token' | 'session' | 'platform_key';
  /** The IP address that the call comes from. */
  readonly address: string;
  /** Set when a browser calls with a session. */
  readonly session: CallingSession | null;
}

/** A platform that acts for no organization: it manages them, and touches nothing inside of any. */
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
  /** The only connection that it may touch, with what hangs on it; null: all of its organization. */
  readonly connectionId: number | null;
  /** The origin of the pages that may call with it, such as `https://app.example.com`; null: those that a key may be used from. */
  readonly origin: string | null;
  /** Where its authorizations send the browser unless told otherwise. */
  readonly returnTo: string | null;
  /** BCP 47. */
  readonly locale: string | null;
  readonly expiresAt: Date;
}

/** No row has it: ids begin at 1. */
const NO_ID = 0;

/** The connection that a caller is confined to; null: there is no such limit. */
export function onlyConnection({ session }: Caller): number | null {
  return session?.connectionId ?? null;
}

/** The condition that a connection is this one, and that the caller may touch it. A malformed id is one that nobody has. */
export function reachableConnection(caller: Caller, id: string | number): { id: number; organizationId: number } {
  const wanted = parseId(id) ?? NO_ID;
  const only = onlyConnection(caller) ?? wanted;
  return { id: only === wanted ? wanted : NO_ID, organizationId: caller.organizationId };
}

/** The condition on connections that the caller may touch them. */
export function reachableConnections(caller: Caller): { organizationId: number; id?: number } {
  const only = onlyConnection(caller);
  return { organizationId: caller.organizationId, ...(only === null ? {} : { id: only }) };
}

/** The condition on what belongs to a connection (subscriptions, deliveries) that the caller may touch it; `connectionId` narrows it. */
export function reachableRows(
  caller: Caller,
  connectionId?: string | number | null,
): { organizationId: number; connectionId?: number } {
  const { organizationId } = caller;
  if (connectionId) return { organizationId, connectionId: reachableConnection(caller, connectionId).id };
  const only = onlyConnection(caller);
  return { organizationId, ...(only === null ? {} : { connectionId: only }) };
}

/** Throws FORBIDDEN for a session of one connection: what it asks for belongs to no connection, or would be another one. */
export function requireWholeOrganization(caller: Caller): void {
  if (onlyConnection(caller) === null) return;
  throw new SwitchboardError('FORBIDDEN', 'This session is for one connection alone.');
}
