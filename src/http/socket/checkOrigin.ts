import type { FastifyRequest } from 'fastify';
import { SwitchboardError } from '../../domain/SwitchboardError.js';

/**
 * CORS does not cover websockets, and a browser may add credentials that it remembers: only our own pages and the allowed
 * frontends may open one (RFC 6455 10.2). Programs send no Origin. Throws FORBIDDEN.
 */
export function checkOrigin({ headers: { origin, host } }: FastifyRequest, allowed: readonly string[]): void {
  if (origin === undefined || allowed.includes(origin)) return;
  if (URL.canParse(origin) && new URL(origin).host === host) return;
  throw new SwitchboardError('FORBIDDEN', 'Pages of this origin may not connect. An operator can allow it with CORS_ORIGINS.');
}
