import type { FastifyRequest, FastifySchema } from 'fastify';
import type { Caller } from '../../domain/Caller.js';

/** The schema of a REST route: Fastify validates with it, and `/openapi.json` shows it. */
export interface OperationSchema {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly params?: { readonly properties: Record<string, object> };
  readonly querystring?: { readonly properties: Record<string, object> };
  readonly body?: object;
  /** The name of the component that `body` refers to. */
  readonly bodyName?: string;
  readonly response: object;
}

/** Returns the schema for Fastify, whose own type has no descriptions. */
export function operation(schema: OperationSchema): FastifySchema {
  return schema;
}

/** Returns the operation id that existing clients know, since they are generated from it. */
export function operationId(name: string): string {
  return `sc-public-v3-scp-${name}`;
}

/** Returns the caller of a REST operation, whom the plugin has identified before the operation. */
export function callerOf(request: FastifyRequest): Caller {
  return request.getDecorator<Caller>('caller');
}
