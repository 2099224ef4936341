import type { Dispatcher } from 'undici';
import { decodeBody } from './decodeBody.js';
import { describeFailure, explainFailure, type Failure, inSeconds } from './explainFailure.js';
import type { HttpOutcome, ResponseHeaders } from './httpOutcome.js';

const NO_HEADERS: ResponseHeaders = {};
const NOTHING = Buffer.alloc(0);

/** undici drops a request that throws when it is about to be written; unlike an abort, that spares the socket. */
const NO_LONGER_WANTED = new Error('no longer wanted');

export interface ExchangeOptions {
  /** Host and port, for messages. */
  readonly host: string;
  readonly timeoutMs: number;
  readonly maxBodyBytes: number;
  readonly onSettled: (outcome: HttpOutcome) => void;
}

/**
 * One request and its answer, from the call to the last byte, as undici's handler. One timer bounds the whole of it:
 * waiting for a socket, look-up, connecting, headers and body, so that a slow drip can't hold a worker.
 *
 * Handles undici's raw events, since this is the hot path: no stream, no abort signal and no second promise a request.
 */
export class Exchange implements Dispatcher.DispatchHandler {
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
    // 1xx announce the answer; they are not it.
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

  /** The time is up. */
  expire(): void {
    this.#giveUp(describeFailure('timeout', this.#options.host, inSeconds(this.#options.timeoutMs)));
  }

  /** We want no answer any more. */
  abort(): void {
    this.#giveUp(describeFailure('aborted', this.#options.host));
  }

  #giveUp(failure: Failure): void {
    if (this.#settled) return;
    this.#fail(failure);
    // Without a controller it waits for a socket; onRequestStart will see to it.
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
