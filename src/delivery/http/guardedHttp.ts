import { Agent, type Dispatcher, errors, Pool } from 'undici';
import { createAddressPolicy, createGuardedConnect } from './guardedConnect.js';
import { createResolver, type Lookup } from './resolver.js';

export interface GuardedHttpOptions {
  /** CIDRs that may be reached although they are not public. */
  readonly allowPrivateNetworks: readonly string[];
  /** Maximum duration of the whole exchange in milliseconds. */
  readonly timeoutMs: number;
  /** Maximum bytes of a response body. The rest of a longer body is not read, and its socket is closed. */
  readonly maxBodyBytes?: number;
  /** Maximum sockets for each origin. Further requests wait for a free socket while their timeout runs. */
  readonly connectionsPerOrigin?: number;
  /** An idle socket is closed after this many milliseconds, even if the receiver offers more. */
  readonly idleSocketMs?: number;
  /** When this many sockets are open, sockets to further origins are closed after each response instead of kept for reuse. */
  readonly maxKeptSockets?: number;
  readonly lookup?: Lookup;
  /** Certificate authorities to trust instead of the default ones, in PEM. */
  readonly ca?: string | Buffer;
}

export interface HttpRequest {
  readonly url: string;
  readonly method: 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  /** Maximum duration of the whole exchange in milliseconds, if it differs from the usual one. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface GuardedHttp {
  /** Sends one request. Never throws or rejects. Never follows a redirect. */
  send(request: HttpRequest): Promise<HttpOutcome>;
  /** Returns numbers for metrics: open sockets, and exchanges without a complete response. */
  stats(): { readonly openSockets: number; readonly inFlight: number };
  /**
   * Accepts no new requests, waits for those in flight, then closes every socket.
   * @param graceMs milliseconds after which requests in flight end with the error `aborted`. Without it, their own timeout
   * applies.
   */
  close(graceMs?: number): Promise<void>;
}

const MAX_TARGETS = 1_000;

/**
 * Creates an HTTP client for addresses that merchants choose. `createGuardedConnect` decides where requests may go, and
 * `Exchange` limits their time and size.
 * @throws RangeError when a network is not a CIDR.
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
  /** Recently used URLs, parsed. A busy connection sends thousands of requests to the same URL. */
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
    // The agent drops an origin when its last socket closes, so closing sockets soon also limits the agent's memory.
    factory: (origin, poolOptions) =>
      new Pool(origin, openSockets < maxKeptSockets ? poolOptions : { ...poolOptions, pipelining: 0 }),
    allowH2: false,
    pipelining: 1,
    connections: connectionsPerOrigin,
    keepAliveTimeout: idleSocketMs,
    keepAliveMaxTimeout: idleSocketMs,
    // undici's own timeouts are off: Exchange has one timer for the whole exchange.
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

  /** Returns the exchanges that a signal aborts. Many requests share one signal, so it gets one listener for all of them. */
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
 * Calls back once undici has freed the socket, which happens one turn of the event loop after the response ends. A caller that
 * sends the next request earlier makes undici open a second socket: that costs a fifth of the throughput and doubles the sockets.
 * The microtask lets undici's own setImmediate run first.
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

const NO_HEADERS: ResponseHeaders = {};
const NOTHING = Buffer.alloc(0);

/** Thrown to make undici drop a request before it is written. Unlike an abort, that keeps the socket open. */
const NO_LONGER_WANTED = new Error('no longer wanted');

interface ExchangeOptions {
  /** Host and port, for error messages. */
  readonly host: string;
  readonly timeoutMs: number;
  readonly maxBodyBytes: number;
  readonly onSettled: (outcome: HttpOutcome) => void;
}

/**
 * One request and its response, from the call to the last byte, as undici's handler. One timer limits all of it (waiting for a
 * socket, look-up, connecting, headers and body), so that a response that drips slowly cannot occupy a worker.
 *
 * Handles undici's raw events because this is the hot path: no stream, no abort signal and no second promise for each request.
 */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #options: ExchangeOptions;
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #settled = false;
  #statusCode = 0;
  #headers = NO_HEADERS;
  #body: Buffer = NOTHING;
  #rest: Buffer[] | undefined;
  #bytes = 0;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#timer = setTimeout(giveUpLate, options.timeoutMs, this);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#settled) throw NO_LONGER_WANTED;
    this.#controller = controller;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, statusCode: number, headers: ResponseHeaders): void {
    // 1xx responses are informational; the final response follows.
    if (statusCode < 200) return;
    this.#statusCode = statusCode;
    this.#headers = headers;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled) return;
    const room = this.#options.maxBodyBytes - this.#bytes;
    const kept = chunk.length > room ? chunk.subarray(0, room) : chunk;
    if (this.#bytes === 0) this.#body = kept;
    else if (this.#rest) this.#rest.push(kept);
    else this.#rest = [kept];
    this.#bytes += kept.length;
    if (chunk.length > room) {
      this.#answer(true);
      this.#controller?.abort(NO_LONGER_WANTED);
    }
  }

  onResponseEnd(): void {
    this.#answer(false);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (!this.#settled) this.#fail(explainFailure(error, this.#options.host, this.#options.timeoutMs));
  }

  /** Ends the exchange because its time is up. */
  expire(): void {
    this.#giveUp(describeFailure('timeout', this.#options.host, inSeconds(this.#options.timeoutMs)));
  }

  /** Ends the exchange because the caller aborted it. */
  abort(): void {
    this.#giveUp(describeFailure('aborted', this.#options.host));
  }

  #giveUp(failure: Failure): void {
    if (this.#settled) return;
    this.#fail(failure);
    // Without a controller the request still waits for a socket; onRequestStart ends it then.
    this.#controller?.abort(NO_LONGER_WANTED);
  }

  #answer(bodyTruncated: boolean): void {
    if (this.#settled) return;
    const bytes = this.#rest ? Buffer.concat([this.#body, ...this.#rest]) : this.#body;
    this.#settle({
      kind: 'response',
      statusCode: this.#statusCode,
      headers: this.#headers,
      body: bytes.length === 0 ? '' : decodeBody(bytes, bodyTruncated),
      bodyTruncated,
      durationMs: this.#elapsed(),
    });
  }

  #fail({ code, message }: Failure): void {
    this.#settle({ kind: 'error', code, message, durationMs: this.#elapsed() });
  }

  #settle(outcome: HttpOutcome): void {
    this.#settled = true;
    clearTimeout(this.#timer);
    this.#body = NOTHING;
    this.#rest = undefined;
    this.#options.onSettled(outcome);
  }

  #elapsed(): number {
    return Math.round(performance.now() - this.#startedAt);
  }
}

function giveUpLate(exchange: Exchange): void {
  exchange.expire();
}

/**
 * Why an exchange has no usable response. `aborted` means that this process ended it (stop of the process, caller's signal);
 * `resolver` means that our own name servers do not answer. Neither says anything about the receiver, and neither may count as an
 * attempt.
 */
export type HttpErrorCode =
  | 'timeout'
  | 'dns'
  | 'resolver'
  | 'connection_refused'
  | 'connection_reset'
  | 'tls'
  | 'private_address'
  | 'invalid_url'
  | 'protocol'
  | 'aborted'
  | 'unknown';

/** Header names are in lower case. A header that came several times is a list. */
export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** The outcome of one HTTP exchange. Durations are whole milliseconds, counted from the call of `send`. */
export type HttpOutcome = HttpResponse | HttpError;

export interface HttpResponse {
  readonly kind: 'response';
  readonly statusCode: number;
  readonly headers: ResponseHeaders;
  /** UTF-8, with undecodable bytes replaced and NUL removed; at most `maxBodyBytes` bytes of the response. */
  readonly body: string;
  readonly bodyTruncated: boolean;
  readonly durationMs: number;
}

export interface HttpError {
  readonly kind: 'error';
  readonly code: HttpErrorCode;
  /** One sentence that a merchant may read. Contains no path, query, header or resolved address. */
  readonly message: string;
  readonly durationMs: number;
}

/**
 * Decodes a response body: UTF-8 with undecodable bytes replaced, and without NUL, which PostgreSQL's text cannot hold.
 *
 * @param cut true when the body was cut off: a character that is cut in two at the end is dropped, not replaced.
 */
function decodeBody(bytes: Buffer, cut: boolean): string {
  const text = cut ? new TextDecoder().decode(bytes, { stream: true }) : bytes.toString('utf8');
  return text.includes('\0') ? text.replaceAll('\0', '') : text;
}

const CODES: Readonly<Record<string, HttpErrorCode>> = {
  ERR_ADDRESS_REFUSED: 'private_address',
  ERR_LOOKUP_FAILED: 'dns',
  ERR_RESOLVER_SILENT: 'resolver',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  ETIMEDOUT: 'timeout',
  ECONNREFUSED: 'connection_refused',
  EHOSTUNREACH: 'connection_refused',
  ENETUNREACH: 'connection_refused',
  ECONNRESET: 'connection_reset',
  EPIPE: 'connection_reset',
  UND_ERR_SOCKET: 'connection_reset',
  EPROTO: 'tls',
  UND_ERR_HEADERS_OVERFLOW: 'protocol',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'protocol',
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: 'protocol',
  UND_ERR_INVALID_ARG: 'protocol',
  UND_ERR_NOT_SUPPORTED: 'protocol',
  UND_ERR_CLOSED: 'aborted',
  UND_ERR_DESTROYED: 'aborted',
};

/** OpenSSL's verification results, as Node names them: CERT_HAS_EXPIRED, DEPTH_ZERO_SELF_SIGNED_CERT, … */
const TLS_CODE = /^ERR_(TLS|SSL)_|CERT|^UNABLE_TO_|^CRL_|^HOSTNAME_MISMATCH$|^INVALID_(CA|PURPOSE)$/;

const SENTENCES: Readonly<Record<HttpErrorCode, (host: string, detail: string) => string>> = {
  timeout: (host, detail) => `${host} did not answer in full within ${detail}.`,
  dns: (host) => `The host name of ${host} could not be resolved.`,
  resolver: () => 'Our name servers do not answer.',
  connection_refused: (host) => `${host} could not be reached: it refused the connection or there is no route to it.`,
  connection_reset: (host) => `${host} closed the connection before it had answered in full.`,
  tls: (host, detail) => `No secure connection to ${host} could be made${detail && ` (${detail})`}.`,
  private_address: (host) => `${host} is not at a public address, and only public addresses may be delivered to.`,
  invalid_url: () => 'The address is not a valid http or https URL.',
  protocol: (host, detail) => `The exchange with ${host} was not valid HTTP/1.1${detail && ` (${detail})`}.`,
  aborted: (host) => `The request to ${host} was given up here before it was answered.`,
  unknown: (host, detail) => `The request to ${host} failed${detail && ` (${detail})`}.`,
};

interface Failure {
  readonly code: HttpErrorCode;
  readonly message: string;
}

/**
 * Maps an error of undici, node:net or node:tls to our own code and message. The native messages are not passed on, because they
 * may contain resolved addresses or parts of the request. The native codes are harmless.
 *
 * @param host host and port as in the URL.
 */
function explainFailure(error: unknown, host: string, timeoutMs: number): Failure {
  const native = nativeCode(error);
  const code =
    CODES[native] ?? (error instanceof errors.HTTPParserError ? 'protocol' : TLS_CODE.test(native) ? 'tls' : 'unknown');
  return describeFailure(code, host, code === 'timeout' ? inSeconds(timeoutMs) : native);
}

/**
 * Returns the message of a code.
 * @param detail a duration for `timeout`, else a native error code or nothing.
 */
function describeFailure(code: HttpErrorCode, host: string, detail = ''): Failure {
  return { code, message: SENTENCES[code](host, detail) };
}

/** Formats milliseconds: 15000 → "15 s", 250 → "0.25 s". */
function inSeconds(ms: number): string {
  return `${ms / 1000} s`;
}

/**
 * Returns an error's native code, or an empty string. undici's parser errors have no code. When every address of a host failed,
 * node:net throws one AggregateError with the first failure's code.
 */
function nativeCode(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}
