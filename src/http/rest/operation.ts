import type { FastifySchema } from 'fastify';

/** What a route of REST says of itself: Fastify validates with it, and `/openapi.json` shows it. */
export interface OperationSchema {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly params?: { readonly properties: Record<string, object> };
  readonly querystring?: { readonly properties: Record<string, object> };
  readonly body?: object;
  readonly response: object;
}

/** Hands it to Fastify, whose own type knows nothing of descriptions. */
export function operation(schema: OperationSchema): FastifySchema {
  return schema;
}
