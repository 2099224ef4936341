import { Agent, Pool } from 'undici';
import { createAddressPolicy } from './addressPolicy.js';
import { Exchange } from './exchange.js';
import { describeFailure } from './explainFailure.js';
import { createGuardedConnect } from './guardedConnect.js';
import type { HttpOutcome } from './httpOutcome.js';
import { createResolver, type Lookup } from './resolver.js';

export interface GuardedHttpOptions {
  /** CIDRs that may be reached though they are not public. */
  readonly allowPrivateNetworks: readonly string[];
  /** Milliseconds for the whole exchange. */
  readonly timeoutMs: number;
  /** Of a longer response body the rest is never read, and its socket is closed. */
  readonly maxBodyBytes?: number;
  /** Further requests to the origin wait for a free socket, and their timeout runs meanwhile. */
  readonly connectionsPerOrigin?: number;
  /** An idle socket is closed after so many milliseconds, whatever longer time the receiver offers. */
  readonly idleSocketMs?: number;
  /** With so many sockets open, sockets to further origins are closed after each answer instead of kept for reuse. */
  readonly maxKeptSockets?: number;
  readonly lookup?: Lookup;
  /** Certificate authorities to trust instead of the usual ones, in PEM. */
  readonly ca?: string | Buffer;
}

export interface HttpRequest {
  readonly url: string;
  readonly method: 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  /** Milliseconds for the whole exchange, where it differs from the usual. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface GuardedHttp {
  /** Sends one request. Never throws or rejects, never follows a redirect. */
  send(request: HttpRequest): Promise<HttpOutcome>;
  /** For metrics: sockets open, and exchanges not yet answered. */
  stats(): { readonly openSockets: number; readonly inFlight: number };
  /**
   * Takes no new requests, waits for those under way, then closes every socket.
   * @param graceMs milliseconds after which those still under way come to the error `aborted`. Without: their own timeout.
   */
  close(graceMs?: number): Promise<void>;
}

const MAX_TARGETS = 1_000;

/**
 * HTTP to addresses that merchants chose: see `createGuardedConnect` for where it may go and `Exchange` for its bounds.
 * @throws RangeError when a network isn't a CIDR.
 */
export function createGuardedHttp(options: GuardedHttpOptions): GuardedHttp {
  const {
    timeoutMs,
    maxBodyBytes = 16_384,
    connectionsPerOrigin = 4_096,
    idleSocketMs = 4_000,
    maxKeptSockets = 2_000,
  } = options;
  const inFlight = new Set<Exchange>();
  /** URLs used lately, parsed: a busy connection sends to the same one thousands of times. */
  const targets = new Map<string, URL>();
  const bySignal = new WeakMap<AbortSignal, Set<Exchange>>();
  let openSockets = 0;
  let closing = false;
  const idle = Promise.withResolvers<void>();

  const agent = new Agent({
    connect: createGuardedConnect({
      policy: createAddressPolicy(options.allowPrivateNetworks),
      lookup: options.lookup ?? createResolver(),
      timeoutMs,
      ca: options.ca,
      onSocket(socket) {
        openSockets++;
        socket.once('close', () => openSockets--);
      },
    }),
    // The agent forgets an origin with its last socket, so closing sockets soon is also what bounds its memory.
    factory: (origin, poolOptions) =>
      new Pool(origin, openSockets < maxKeptSockets ? poolOptions : { ...poolOptions, pipelining: 0 }),
    allowH2: false,
    pipelining: 1,
    connections: connectionsPerOrigin,
    keepAliveTimeout: idleSocketMs,
    keepAliveMaxTimeout: idleSocketMs,
    // Exchange has the one timer that counts.
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  function send(request: HttpRequest): Promise<HttpOutcome> {
    const url = targets.get(request.url) ?? parseTarget(request.url);
    if (!url) return refuse('invalid_url', '');
    if (targets.size >= MAX_TARGETS) targets.clear();
    targets.set(request.url, url);
    if (closing || request.signal?.aborted) return refuse('aborted', url.host);
    return new Promise((resolve) => {
      const abortable = request.signal && abortableBy(request.signal);
      const exchange = new Exchange({
        host: url.host,
        timeoutMs: request.timeoutMs ?? timeoutMs,
        maxBodyBytes,
        onSettled: (outcome) =>
          whenSocketIsFree(() => {
            inFlight.delete(exchange);
            abortable?.delete(exchange);
            resolve(outcome);
            if (closing && inFlight.size === 0) idle.resolve();
          }),
      });
      inFlight.add(exchange);
      abortable?.add(exchange);
      const { method, headers, body } = request;
      agent.dispatch({ origin: url.origin, path: url.pathname + url.search, method, headers, body }, exchange);
    });
  }

  /** Many requests share one signal, which then has one listener for all of them. */
  function abortableBy(signal: AbortSignal): Set<Exchange> {
    const known = bySignal.get(signal);
    if (known) return known;
    const exchanges = new Set<Exchange>();
    bySignal.set(signal, exchanges);
    signal.addEventListener('abort', () => exchanges.forEach((exchange) => void exchange.abort()), { once: true });
    return exchanges;
  }

  async function close(graceMs?: number): Promise<void> {
    closing = true;
    if (inFlight.size > 0) {
      const timer = graceMs === undefined ? undefined : setTimeout(() => inFlight.forEach((each) => void each.abort()), graceMs);
      await idle.promise;
      clearTimeout(timer);
    }
    await agent.destroy();
  }

  return { send, stats: () => ({ openSockets, inFlight: inFlight.size }), close };
}

/**
 * undici frees a socket one turn of the event loop after its response has ended. A caller that hears of the end earlier and
 * at once sends the next request makes it open a second socket: that costs a fifth of the speed, and twice the sockets.
 * The microtask lets undici's own setImmediate come first.
 */
function whenSocketIsFree(callback: () => void): void {
  queueMicrotask(() => setImmediate(callback));
}

function parseTarget(text: string): URL | null {
  const url = URL.parse(text);
  return url && (url.protocol === 'https:' || url.protocol === 'http:') ? url : null;
}

function refuse(code: 'invalid_url' | 'aborted', host: string): Promise<HttpOutcome> {
  return Promise.resolve({ kind: 'error', ...describeFailure(code, host), durationMs: 0 });
}
