import type { FastifyReply, FastifyRequest } from 'fastify';
import { findSession } from '../../access/sessions.js';
import type { Database } from '../../database/Database.js';
import type { Authorization } from '../../domain/Authorization.js';
import { callerAddress } from '../callerAddress.js';

/**
 * The link that a browser has opened: the token of its session, out of sight of scripts and of other sites. Lax and not
 * Strict, since people come from an e-mail, and back from the provider (RFC 6265bis 5.6.7). Where the server is reached by
 * https, no neighbour's domain can put another link in its place (`__Host-`, RFC 6265bis 4.1.3.2).
 */
const PLAIN_NAME = 'switchboard_connect';
const PREFIXED_NAME = `__Host-${PLAIN_NAME}`;
/** Seconds for which a browser remembers a link; the session may end before. */
const LONGEST = 3_600;

export const CONNECT_PATH = '/connect';

/** The page's address without the token. */
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

/** The token of the link that this browser opened last, if it still knows it. */
export function rememberedLink(request: FastifyRequest, publicUrl: string): string | undefined {
  return request.cookies[publicUrl.startsWith('https:') ? PREFIXED_NAME : PLAIN_NAME];
}

interface Dependencies {
  readonly database: Database;
  readonly publicUrl: string;
}

/** Where this browser can begin another attempt for the connection of one; null when it holds no link to it that works. */
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
