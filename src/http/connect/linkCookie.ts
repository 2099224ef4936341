import type { FastifyReply, FastifyRequest } from 'fastify';
import { findSession } from '../../access/sessions.js';
import type { Database } from '../../database/Database.js';
import type { Authorization } from '../../domain/Authorization.js';
import { callerAddress } from '../callerAddress.js';

/**
 * The cookie with the session token of the link that a browser has opened. Neither scripts nor other sites can read it. It
 * is Lax instead of Strict because merchants come from an e-mail, and back from the provider (RFC 6265bis 5.6.7). On https
 * the prefix `__Host-` keeps sibling domains from replacing it (RFC 6265bis 4.1.3.2).
 */
const PLAIN_NAME = 'switchboard_connect';
const PREFIXED_NAME = `__Host-${PLAIN_NAME}`;
/** Seconds for which a browser keeps the cookie. The session may end earlier. */
const LONGEST = 3_600;

export const CONNECT_PATH = '/connect';

/** Returns the path of the connect page, without the token. */
export function connectAddress(isPopup: boolean): string {
  return isPopup ? `${CONNECT_PATH}?display=popup` : CONNECT_PATH;
}

export function rememberLink(reply: FastifyReply, publicUrl: string, { token, expiresAt }: { token: string; expiresAt: Date }) {
  const secure = publicUrl.startsWith('https:');
  const seconds = Math.floor((expiresAt.getTime() - Date.now()) / 1_000);
  reply.setCookie(secure ? PREFIXED_NAME : PLAIN_NAME, token, {
    ...{ path: '/', httpOnly: true, sameSite: 'lax', secure },
    maxAge: Math.max(1, Math.min(seconds, LONGEST)),
  });
}

/** Returns the token of the link that this browser opened last, while it keeps the cookie. */
export function rememberedLink(request: FastifyRequest, publicUrl: string): string | undefined {
  return request.cookies[publicUrl.startsWith('https:') ? PREFIXED_NAME : PLAIN_NAME];
}

interface Dependencies {
  readonly database: Database;
  readonly publicUrl: string;
}

/**
 * Returns the path at which this browser can authorize the connection again. Null when it holds no valid link
 * to that connection.
 */
export async function tryAgainAddress(
  dependencies: Dependencies,
  request: FastifyRequest,
  { connectionId, display }: Authorization,
): Promise<string | null> {
  const token = rememberedLink(request, dependencies.publicUrl);
  const found = token === undefined ? null : await findSession(dependencies, token, callerAddress(request));
  if (!found || found.over !== null || connectionId === null) return null;
  const { session } = found.caller;
  return session.permissions.has('connect') && session.connectionId === connectionId ? connectAddress(display === 'popup') : null;
}
