import type { Cipher } from '../database/Cipher.js';
import { columnIdentity } from '../database/columnIdentity.js';
import type { DeliveryJob } from '../delivery/DeliveryJob.js';
import type { AttemptReport, DeliveryResult, Destination } from '../delivery/Destination.js';
import { type AccessToken, GrantLost } from '../oauth/AccessToken.js';
import { ProviderError } from '../oauth/ProviderError.js';
import type { BoundedFetch } from './createBoundedFetch.js';
import { profileIdentifiers } from './events/profileIdentifiers.js';
import { type KlaviyoEventInput, toKlaviyoEvent } from './events/toKlaviyoEvent.js';
import type { KlaviyoRateLimits } from './KlaviyoRateLimits.js';
import { readEventAnswer } from './readEventAnswer.js';

export interface KlaviyoDestinationOptions {
  /** https://a.klaviyo.com; `/api/events` is below it. */
  readonly apiUrl: string;
  readonly revision: string;
  readonly fetch: BoundedFetch;
  readonly cipher: Cipher;
  readonly limits: KlaviyoRateLimits;
  /** What is older when it goes out is sent as `backfill`. */
  readonly backfillAfterMs: number;
  /** A good token; given the version of one that was refused, a newer one. Throws GrantLost or a ProviderError. */
  readonly accessToken: (connectionId: number, refusedVersion?: number) => Promise<AccessToken>;
  /** The grant can't do what is needed: the connection waits for a new authorization. */
  readonly scopeMissing: (connectionId: number, version: number, scope: string) => Promise<void>;
}

/** How long a connection waits when no token is to be had at the moment and nobody says how long. */
const TOKEN_PAUSE_SECONDS = 5;

/** Delivers into a merchant's Klaviyo account: `POST /api/events`, once for each event and account, by its `unique_id`. */
export class KlaviyoDestination implements Destination {
  readonly type = 'klaviyo';
  /** Enough for waiting on a refresh and for two requests; short enough that a killed worker's deliveries are done again within a minute. */
  readonly maxDurationMs = 30_000;

  constructor(private readonly options: KlaviyoDestinationOptions) {}

  async deliver(job: DeliveryJob, signal: AbortSignal): Promise<DeliveryResult> {
    const startedAt = performance.now();
    const event = this.#read(job);
    const profile = profileIdentifiers(event.recipient);
    if (!profile.ok) return { kind: 'failed', attempt: unanswered(startedAt, profile) };

    const nowMs = performance.now();
    const waitUntilMs = this.options.limits.take(job.connection.id, nowMs);
    if (waitUntilMs !== null) return { kind: 'throttled', forMs: waitUntilMs - nowMs };
    try {
      const token = await this.#token(job);
      const first = await this.#post(job, token, event, signal);
      if (first.status !== 401) return await this.#hear(job, token, first, startedAt);
      // RFC 6750 3.1: refresh once, try once more.
      const newer = await this.#token(job, token.version);
      return await this.#hear(job, newer, await this.#post(job, newer, event, signal), startedAt);
    } catch (error) {
      return signal.aborted ? { kind: 'abandoned' } : this.#explain(error, startedAt);
    } finally {
      this.options.limits.release(job.connection.id);
    }
  }

  /** All but the account, which the token decides. */
  #read({ event, nowMs }: DeliveryJob): Omit<KlaviyoEventInput, 'account'> {
    const { cipher, backfillAfterMs } = this.options;
    const { id, eventType, createdAt, occurredAt, value, valueCurrency, isTest } = event;
    return {
      ...{ eventId: id, eventType, createdAt, occurredAt, value, valueCurrency, isTest, backfillAfterMs },
      data: JSON.parse(event.payload),
      recipient: event.recipient && JSON.parse(cipher.decrypt(event.recipient, columnIdentity.recipient(id))),
      properties: event.properties && JSON.parse(cipher.decrypt(event.properties, columnIdentity.properties(id))),
      nowMs: nowMs ?? Date.now(),
    };
  }

  async #token({ connection }: DeliveryJob, refusedVersion?: number): Promise<AccessToken> {
    try {
      return await this.options.accessToken(connection.id, refusedVersion);
    } catch (error) {
      throw error instanceof ProviderError ? new TokenUnavailable(error.retryAfterSeconds ?? TOKEN_PAUSE_SECONDS) : error;
    }
  }

  async #post(
    job: DeliveryJob,
    { token, accountId }: AccessToken,
    input: Omit<KlaviyoEventInput, 'account'>,
    signal: AbortSignal,
  ): Promise<Response> {
    // Klaviyo does not always say which account it is: then the connection stands for it.
    const event = toKlaviyoEvent({ ...input, account: accountId ?? `connection:${job.connection.id}` });
    if (!event.ok) throw new Error(event.message);
    const response = await this.options.fetch(`${this.options.apiUrl}/api/events`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        revision: this.options.revision,
        accept: 'application/vnd.api+json',
        'content-type': 'application/vnd.api+json',
      },
      body: JSON.stringify(event.body),
      signal,
    });
    this.options.limits.heard(job.connection.id, response.headers, performance.now());
    return response;
  }

  async #hear(job: DeliveryJob, { version }: AccessToken, response: Response, startedAt: number): Promise<DeliveryResult> {
    const result = await readEventAnswer(response, startedAt);
    if (result.kind === 'throttled') this.options.limits.pause(job.connection.id, performance.now() + result.forMs);
    if (result.missingScope) await this.options.scopeMissing(job.connection.id, version, result.missingScope);
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
