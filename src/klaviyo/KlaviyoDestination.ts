import type { Cipher } from '../database/Cipher.js';
import { columnIdentity } from '../database/columnIdentity.js';
import type { DeliveryJob } from '../delivery/DeliveryJob.js';
import type { AttemptReport, DeliveryResult, Destination } from '../delivery/Destination.js';
import { type AccessToken, GrantLost } from '../oauth/AccessToken.js';
import { ProviderError } from '../oauth/ProviderError.js';
import type { BoundedFetch } from './createBoundedFetch.js';
import { toKlaviyoEvent } from './events/toKlaviyoEvent.js';
import type { KlaviyoRateLimits } from './KlaviyoRateLimits.js';
import { readEventAnswer } from './readEventAnswer.js';

export interface KlaviyoDestinationOptions {
  /** https://a.klaviyo.com; `/api/events` is below it. */
  readonly apiUrl: string;
  readonly revision: string;
  readonly fetch: BoundedFetch;
  readonly cipher: Cipher;
  readonly limits: KlaviyoRateLimits;
  /** A good token; given the version of one that was refused, a newer one. Throws GrantLost or a ProviderError. */
  readonly accessToken: (connectionId: number, refusedVersion?: number) => Promise<AccessToken>;
  /** The grant can't do what is needed: the connection waits for a new authorization. */
  readonly scopeMissing: (connectionId: number, version: number, scope: string) => Promise<void>;
}

/** How long a connection waits when no token is to be had at the moment and nobody says how long. */
const TOKEN_PAUSE_SECONDS = 5;

/** Delivers into a merchant's Klaviyo account: `POST /api/events`, with the delivery's id as `unique_id`, so that a retry is never a second event. */
export class KlaviyoDestination implements Destination {
  readonly type = 'klaviyo';
  /** Enough for waiting on a refresh and for two requests; short enough that a killed worker's deliveries are done again within a minute. */
  readonly maxDurationMs = 30_000;

  constructor(private readonly options: KlaviyoDestinationOptions) {}

  async deliver(job: DeliveryJob, signal: AbortSignal): Promise<DeliveryResult> {
    const startedAt = performance.now();
    const event = toKlaviyoEvent({
      deliveryId: job.deliveryId,
      eventType: job.event.eventType,
      data: JSON.parse(job.event.payload),
      recipient: this.#recipient(job),
      createdAt: job.event.createdAt,
    });
    if (!event.ok) return { kind: 'failed', attempt: unanswered(startedAt, event) };

    const nowMs = performance.now();
    const waitUntilMs = this.options.limits.take(job.connection.id, nowMs);
    if (waitUntilMs !== null) return { kind: 'throttled', forMs: waitUntilMs - nowMs };
    try {
      const body = JSON.stringify(event.body);
      const token = await this.#token(job);
      const first = await this.#post(job, token, body, signal);
      if (first.status !== 401) return await this.#read(job, token, first, startedAt);
      // RFC 6750 3.1: refresh once, try once more.
      const newer = await this.#token(job, token.version);
      return await this.#read(job, newer, await this.#post(job, newer, body, signal), startedAt);
    } catch (error) {
      return signal.aborted ? { kind: 'abandoned' } : this.#explain(error, startedAt);
    } finally {
      this.options.limits.release(job.connection.id);
    }
  }

  #recipient({ event }: DeliveryJob) {
    return event.recipient === null
      ? null
      : JSON.parse(this.options.cipher.decrypt(event.recipient, columnIdentity.recipient(event.id)));
  }

  async #token({ connection }: DeliveryJob, refusedVersion?: number): Promise<AccessToken> {
    try {
      return await this.options.accessToken(connection.id, refusedVersion);
    } catch (error) {
      throw error instanceof ProviderError ? new TokenUnavailable(error.retryAfterSeconds ?? TOKEN_PAUSE_SECONDS) : error;
    }
  }

  async #post(job: DeliveryJob, { token }: AccessToken, body: string, signal: AbortSignal): Promise<Response> {
    const response = await this.options.fetch(`${this.options.apiUrl}/api/events`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        revision: this.options.revision,
        accept: 'application/vnd.api+json',
        'content-type': 'application/vnd.api+json',
      },
      body,
      signal,
    });
    this.options.limits.heard(job.connection.id, response.headers, performance.now());
    return response;
  }

  async #read(job: DeliveryJob, { version }: AccessToken, response: Response, startedAt: number): Promise<DeliveryResult> {
    const result = await readEventAnswer(response, startedAt);
    if (result.kind === 'throttled') this.options.limits.pause(job.connection.id, performance.now() + result.forMs);
    if (result.kind === 'hold') await this.options.scopeMissing(job.connection.id, version, 'events:write');
    return result;
  }

  #explain(error: unknown, startedAt: number): DeliveryResult {
    if (error instanceof GrantLost) return { kind: 'hold', attempt: null, reason: error.message };
    if (error instanceof TokenUnavailable) return { kind: 'throttled', forMs: error.retryAfterSeconds * 1_000 };
    if (error instanceof DOMException && error.name === 'TimeoutError') {
      return { kind: 'retry', attempt: unanswered(startedAt, { code: 'timeout', message: 'Klaviyo did not answer in time.' }) };
    }
    // `fetch` rejects with a TypeError for whatever happens on the way; anything else is a fault of ours.
    if (!(error instanceof TypeError || error instanceof ProviderError)) throw error;
    const message = 'Klaviyo could not be reached, or its answer could not be read.';
    return { kind: 'retry', attempt: unanswered(startedAt, { code: 'provider_unavailable', message }) };
  }
}

/** No token at the moment: an outage or a limit at the token endpoint. Waiting spends no attempt. */
class TokenUnavailable extends Error {
  constructor(readonly retryAfterSeconds: number) {
    super('No access token at the moment.');
  }
}

function unanswered(startedAt: number, { code, message }: { code: string; message: string }): AttemptReport {
  return {
    durationMs: Math.round(performance.now() - startedAt),
    statusCode: null,
    responseBody: null,
    error: { code, message },
  };
}
