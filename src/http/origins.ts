import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Caller, Platform } from '../domain/Caller.js';
import { SwitchboardError } from '../domain/errors.js';

/** The origins whose pages may call. */
export interface Origins {
  readonly publicUrl: string;
  /** Origins of frontends that may call with a key, or with a session that names no origin. */
  readonly corsOrigins: readonly string[];
}

/**
 * Checks that the page which sent a request may call as this caller, or without one yet. A session with an origin is for
 * pages of that origin and for our own pages. Programs send no Origin, and a thief of a token can omit it: this check only
 * keeps honest browsers from calling for an unrelated page. Throws FORBIDDEN.
 */
export function checkOrigin(request: FastifyRequest, caller: Caller | Platform | null, origins: Origins): void {
  const { origin } = request.headers;
  if (origin === undefined || isOurPage(request, origins)) return;
  const named = caller?.session?.origin ?? null;
  if (named === null ? origins.corsOrigins.includes(origin) : origin === named) return;
  throw new SwitchboardError(
    'FORBIDDEN',
    named === null
      ? 'Pages of this origin may not connect. An operator can allow it with CORS_ORIGINS.'
      : 'This session is for pages of another origin.',
  );
}

/** Returns whether a request comes from a page of this server. */
export function isOurPage({ headers: { origin, host } }: FastifyRequest, { publicUrl }: Pick<Origins, 'publicUrl'>): boolean {
  if (origin === undefined) return false;
  return origin === publicUrl || (URL.canParse(origin) && new URL(origin).host === host);
}

/**
 * Lets a session's page read the response, errors about the session included. The header for credentials is removed, because
 * sessions use no cookie.
 */
export function openToSession(
  request: FastifyRequest,
  reply: FastifyReply,
  caller: Caller | Platform | null,
  failure: unknown,
): void {
  const readableBy = failure instanceof SwitchboardError ? failure.facts.readableBy : undefined;
  const named = caller?.session?.origin ?? readableBy;
  const { origin } = request.headers;
  if (named === undefined || origin !== named || reply.hasHeader('access-control-allow-origin')) return;
  reply.removeHeader('access-control-allow-credentials');
  reply.header('access-control-allow-origin', named);
}
