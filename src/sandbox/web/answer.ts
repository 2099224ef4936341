import type { FastifyReply } from 'fastify';

/** What a route decided, before anything is written: a fault may still throw it away. */
export interface Answer {
  status: number;
  headers?: Record<string, string>;
  /** Sent as JSON; left out for an empty body. */
  json?: unknown;
  /** Content type of `json`. */
  type?: string;
}

export function sendAnswer(reply: FastifyReply, answer: Answer): FastifyReply {
  reply.code(answer.status).headers(answer.headers ?? {});
  if (answer.json === undefined) return reply.send('');
  return reply.header('content-type', answer.type ?? 'application/json').send(JSON.stringify(answer.json));
}
