import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HeldConnections } from '../heldConnections.js';
import { type Answer, sendAnswer } from '../web.js';
import { jsonApiError, throttledAnswer } from './api/jsonApi.js';
import type { KlaviyoCounters } from './klaviyoCounters.js';
import { oauthError } from './oauth/oauthError.js';

/** The endpoints that a fault affects. `both` is token and api. The revocation endpoint must be named. */
export type FaultTarget = 'token' | 'api' | 'both' | 'revoke' | 'all';
type Endpoint = 'token' | 'api' | 'revoke';

/** Faults that replace or delay a response. */
export const INTERRUPTIONS = [
  'throttle',
  'server_error',
  'unavailable',
  'bad_gateway_html',
  'edge_challenge',
  'hang',
  'reset',
  'big_body',
  'slow',
  'invalid_client',
  'invalid_grant',
  'unauthorized',
  'permission_denied',
] as const;

/** Faults that change a successful response of the token endpoint. */
export const TOKEN_SHAPES = ['omit_refresh_token', 'rotate_refresh_token', 'omit_expires_in', 'expires_in_string'] as const;

type Interruption = (typeof INTERRUPTIONS)[number];
type TokenShape = (typeof TOKEN_SHAPES)[number];
export type FaultKind = Interruption | TokenShape;

export interface FaultOrder {
  kind: FaultKind;
  /** Default: `both`. Token shapes always affect the token endpoint. */
  target?: FaultTarget;
  /** Number of requests that it affects. Default: until it is removed or its time ends. */
  count?: number;
  /** throttle: its duration (default 1). slow: the delay (default 5). unavailable: its Retry-After (default none). */
  seconds?: number;
  /** Does the work first and then loses the response, as when a connection is cut at the wrong moment. */
  afterEffect?: boolean;
}

export interface ActiveFault extends FaultOrder {
  id: string;
  target: FaultTarget;
  /** End of a throttle, in milliseconds since 1970. */
  until?: number;
}

const MOST_FAULTS = 100;
const ONLY_ENDPOINTS: Partial<Record<FaultKind, Endpoint[]>> = {
  invalid_client: ['token', 'revoke'],
  invalid_grant: ['token'],
  unauthorized: ['api'],
  permission_denied: ['api'],
};

const strikes = (fault: ActiveFault, endpoint: Endpoint): boolean => {
  if (ONLY_ENDPOINTS[fault.kind]?.includes(endpoint) === false) return false;
  return fault.target === 'all' || fault.target === endpoint || (fault.target === 'both' && endpoint !== 'revoke');
};

/** The faults that wait for requests, in the order in which they were injected. */
export class FaultBox {
  private faults: ActiveFault[] = [];

  constructor(private readonly now: () => number) {}

  add(order: FaultOrder): ActiveFault {
    if (this.faults.length >= MOST_FAULTS) throw new RangeError(`The sandbox keeps at most ${MOST_FAULTS} faults`);
    const fault: ActiveFault = { ...order, id: randomUUID(), target: order.target ?? 'both' };
    if ((TOKEN_SHAPES as readonly string[]).includes(order.kind)) fault.target = 'token';
    if (order.kind === 'throttle') fault.until = this.now() + (order.seconds ?? 1) * 1_000;
    this.faults.push(fault);
    return fault;
  }

  /** Returns the next interruption for this endpoint, and counts it down. */
  takeInterruption(endpoint: Endpoint): ActiveFault | undefined {
    return this.take(endpoint, INTERRUPTIONS);
  }

  takeTokenShapes(): Set<FaultKind> {
    const shapes = TOKEN_SHAPES.map((shape) => this.take('token', [shape])?.kind);
    return new Set(shapes.filter((kind) => kind !== undefined));
  }

  list(): ActiveFault[] {
    this.faults = this.faults.filter((fault) => fault.until === undefined || fault.until > this.now());
    return [...this.faults];
  }

  clear(id?: string): void {
    this.faults = id === undefined ? [] : this.faults.filter((fault) => fault.id !== id);
  }

  private take(endpoint: Endpoint, kinds: readonly FaultKind[]): ActiveFault | undefined {
    const fault = this.list().find((candidate) => kinds.includes(candidate.kind) && strikes(candidate, endpoint));
    if (fault?.count !== undefined && --fault.count <= 0) this.clear(fault.id);
    return fault;
  }
}

const BIG_BODY_BYTES = 10 * 1024 * 1024;
const CHUNK = 'x'.repeat(64 * 1024);

/** Yields valid JSON of 10 MB, generated while it is read, so that it costs only a client that reads without a limit. */
function* bigBody(): Generator<string> {
  yield '{"padding":"';
  for (let sent = 0; sent < BIG_BODY_BYTES; sent += CHUNK.length) yield CHUNK;
  yield '"}';
}

const page = (title: string): string =>
  `<!DOCTYPE html><html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`;

/** What applying a fault needs of the routes' context. */
interface FaultContext {
  readonly now: () => number;
  readonly faults: FaultBox;
  readonly held: HeldConnections;
  readonly counters: KlaviyoCounters;
}

/** Responds, or does not, as the fault says. */
function inflictFault(
  fault: ActiveFault,
  endpoint: Endpoint,
  context: FaultContext,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const sendHtml = (status: number, title: string) => reply.code(status).type('text/html; charset=utf-8').send(page(title));
  switch (fault.kind as Interruption) {
    case 'throttle':
      return sendAnswer(reply, throttledAnswer(Math.max(1, Math.ceil(((fault.until ?? 0) - context.now()) / 1_000))));
    case 'server_error':
      return sendAnswer(reply, jsonApiError(500, 'error', 'A server error occurred.', 'A server error occurred.'));
    case 'unavailable':
      if (fault.seconds !== undefined) reply.header('retry-after', String(fault.seconds));
      return sendAnswer(reply, jsonApiError(503, 'unavailable', 'Service unavailable.', 'Try again later.'));
    case 'bad_gateway_html':
      return sendHtml(502, '502 Bad Gateway');
    case 'edge_challenge':
      reply.header('cf-mitigated', 'challenge').header('server', 'cloudflare');
      return sendHtml(403, 'Just a moment...');
    case 'hang':
      context.held.hold(request, reply);
      return reply;
    case 'reset':
      reply.hijack();
      request.raw.socket.resetAndDestroy();
      return reply;
    case 'big_body':
      return reply.code(200).type('application/json').send(Readable.from(bigBody()));
    case 'invalid_client':
      return sendAnswer(reply, oauthError(401, 'invalid_client', 'Client authentication failed'));
    case 'invalid_grant':
      return sendAnswer(reply, oauthError(400, 'invalid_grant', 'The refresh token is not valid'));
    case 'unauthorized':
      return sendAnswer(
        reply,
        jsonApiError(
          401,
          'not_authenticated',
          'Authentication credentials were not provided.',
          'Missing or invalid access token.',
        ),
      );
    case 'permission_denied':
      return sendAnswer(
        reply,
        jsonApiError(403, 'permission_denied', 'You do not have permission to perform this action.', 'A scope is missing.'),
      );
    case 'slow':
      throw new Error(`A slow answer at ${endpoint} is still an answer, and not made here`);
  }
}

/** Responds with the result of `act`. A waiting fault is applied first, either before the work is done or after it. */
export async function withFaults(
  endpoint: Endpoint,
  context: FaultContext,
  request: FastifyRequest,
  reply: FastifyReply,
  act: () => Answer,
): Promise<FastifyReply> {
  const fault = context.faults.takeInterruption(endpoint);
  if (!fault) return sendAnswer(reply, act());
  context.counters.faults += 1;
  const answer = fault.afterEffect ? act() : undefined;
  if (fault.kind === 'slow') {
    await context.held.delay((fault.seconds ?? 5) * 1_000, request);
    return sendAnswer(reply, answer ?? act());
  }
  return inflictFault(fault, endpoint, context, request, reply);
}
