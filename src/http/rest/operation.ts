import type { FastifyRequest, FastifySchema } from 'fastify';
import type { Caller } from '../../domain/Caller.js';

/** What a route of REST says of itself: Fastify validates with it, and `/openapi.json` shows it. */
export interface OperationSchema {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly params?: { readonly properties: Record<string, object> };
  readonly querystring?: { readonly properties: Record<string, object> };
  readonly body?: object;
  /** The component that `body` is. */
  readonly bodyName?: string;
  readonly response: object;
}

/** Hands it to Fastify, whose own type knows nothing of descriptions. */
export function operation(schema: OperationSchema): FastifySchema {
  return schema;
}

/** The id that existing clients know an operation by: they are generated from it. */
export function operationId(name: string): string {
  return `sc-public-v3-scp-${name}`;
}

/** Who calls a REST operation; the plugin found out before the operation began. */
export function callerOf(request: FastifyRequest): Caller {
  return request.getDecorator<Caller>('caller');
}
