import type { FastifyRequest } from 'fastify';
import type { Caller } from '../../domain/Caller.js';

/** Who calls a REST operation; the plugin found out before the operation began. */
export function callerOf(request: FastifyRequest): Caller {
  return request.getDecorator<Caller>('caller');
}
