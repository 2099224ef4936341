import { embeddedToken } from '../embedding.js';
import type { SessionPermission } from '../graphql/graphql.js';

export interface Keys {
  readonly publicKey: string;
  readonly secretKey: string;
}

/** The session that the console calls with. It survives a reload in this tab, and ends with the tab. */
export interface StoredSession {
  readonly token: string;
  /** Null: the session was made by somebody else, who handed out its token. */
  readonly madeBy: string | null;
}

/** Who calls. */
export interface Credential {
  readonly session: StoredSession | null;
  /** Kept in memory only, so a reload forgets them. */
  readonly keys: Keys | null;
  /** The organization that a platform acts for, by id. */
  readonly organization: string | null;
}

export interface SessionFacts {
  readonly id: string;
  readonly permissions: readonly SessionPermission[];
  readonly connectionId: string | null;
  readonly locale: string | null;
}

interface Settings {
  readonly defaultKeys: Keys | null;
  readonly inboxUrl: string | null;
}

/** What the server filled in for a browser on its own machine. */
export const settings: Settings = JSON.parse(document.getElementById('console-settings')?.textContent ?? '{}');

const STORED_AS = 'switchboard:console';

/** Returns the headers that say who calls. */
export function headersOf({ session, keys, organization }: Credential): Record<string, string> {
  const authorization = keys ? basic(keys) : session ? `Bearer ${session.token}` : null;
  return {
    ...(authorization ? { authorization } : {}),
    ...(keys && organization ? { 'switchboard-organization': organization } : {}),
  };
}

/** RFC 7617, in UTF-8. */
function basic({ publicKey, secretKey }: Keys): string {
  return `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(`${publicKey}:${secretKey}`)))}`;
}

/**
 * Returns the credential that this page begins with: the token of its address, which leaves the address bar at once, or the
 * session that was stored before a reload.
 */
export function initialCredential(): Credential | null {
  // A frame keeps its address, which nobody sees, and needs no storage, which browsers may refuse to frames.
  if (embeddedToken !== null) return { session: { token: embeddedToken, madeBy: null }, keys: null, organization: null };
  const [, token] = /^\/console\/(ses_[^/]+)/.exec(location.pathname) ?? [];
  if (token) {
    history.replaceState(null, '', '/console');
    const session = { token: decodeURIComponent(token), madeBy: null };
    storeSession(session);
    return { session, keys: null, organization: null };
  }
  const session = storedSession();
  if (!session) return null;
  const { defaultKeys } = settings;
  return { session, keys: defaultKeys?.publicKey === session.madeBy ? defaultKeys : null, organization: null };
}

export function storeSession(session: StoredSession | null): void {
  if (embeddedToken !== null) return;
  if (session) sessionStorage.setItem(STORED_AS, JSON.stringify(session));
  else sessionStorage.removeItem(STORED_AS);
}

function storedSession(): StoredSession | null {
  try {
    const stored = JSON.parse(sessionStorage.getItem(STORED_AS) ?? 'null');
    return typeof stored?.token === 'string' ? stored : null;
  } catch {
    return null;
  }
}
