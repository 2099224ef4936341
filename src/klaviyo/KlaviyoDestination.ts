import { setTimeout as sleep } from 'node:timers/promises';
import { type Cipher, columnIdentity } from '../database/Cipher.js';
import type { DeliveryJob } from '../delivery/DeliveryJob.js';
import type { AttemptReport, DeliveryResult, Destination, DestinationBatch } from '../delivery/Destination.js';
import { HOUR_MS } from '../domain/duration.js';
import type { Recipient } from '../domain/Recipient.js';
import { parseRetryAfter } from '../domain/retryAfter.js';
import { GrantLost, type ProviderAccessToken } from '../oauth/getProviderAccessToken.js';
import { ProviderError } from '../oauth/Provider.js';
import { type BulkItem, type BulkRequest, readRefused, toBulkRequests } from './bulkRequest.js';
import type { BoundedFetch } from './createBoundedFetch.js';
import { profileIdentifiers } from './events/profileIdentifiers.js';
import { type KlaviyoEventResult, toKlaviyoEvent } from './events/toKlaviyoEvent.js';
import type { KlaviyoRateLimits } from './KlaviyoRateLimits.js';
import { DELIVERY_SCOPE } from './klaviyoScopes.js';

interface KlaviyoDestinationOptions {
  /** https://a.klaviyo.com; `/api/events` is below it. */
  readonly apiUrl: string;
  readonly revision: string;
  readonly fetch: BoundedFetch;
  readonly cipher: Cipher;
  readonly limits: KlaviyoRateLimits;
  /** An event older than this many milliseconds at the time of sending is sent as `backfill`. */
  readonly backfillAfterMs: number;
  /**
   * Returns a valid access token. Given the version of a refused token, it returns a newer one. Throws GrantLost or a
   * ProviderError.
   */
  readonly accessToken: (connectionId: number, refusedVersion?: number) => Promise<ProviderAccessToken>;
  /** Called when the grant lacks a scope. The connection then waits for a new authorization. */
  readonly scopeMissing: (connectionId: number, version: number, scope: string) => Promise<void>;
}

/** Pause of a connection when no access token is available and the reason names no time. */
const TOKEN_PAUSE_SECONDS = 5;

/** Maximum milliseconds that a batch waits for a place in the next second. */
const BULK_PATIENCE_MS = 1_100;
/** Milliseconds after its start at which a refused batch is not sent again without its refused events. */
const BULK_AGAIN_MS = 8_000;

/**
 * Milliseconds after which a connection is tried again that has used up the minute's limit of single events. By then enough
 * events may wait to go in bulk, which has its own limits.
 */
const LOOK_AGAIN_MS = 2_000;

const ADDRESSES = { events: '/api/events', bulk: '/api/event-bulk-create-jobs' } as const;

/** A response, and the access token that was used. */
interface Answer {
  readonly response: Response;
  readonly token: ProviderAccessToken;
}

/**
 * Delivers to a merchant's Klaviyo account. Few events go one by one (`POST /api/events`), many go together (`POST
 * /api/event-bulk-create-jobs`). The `unique_id` prevents a retry from creating a second event. In bulk, a known `unique_id`
 * would make Klaviyo refuse the whole request, so every delivery that may have arrived before goes alone.
 */
export class KlaviyoDestination implements Destination {
  readonly type = 'klaviyo';
  /** Enough for a token refresh and two requests; short enough that a killed worker's deliveries are retried within a minute. */
  readonly maxDurationMs = 30_000;
  readonly batch: DestinationBatch = {
    from: 50,
    max: 1_000,
    maxBytes: 3_000_000,
    deliver: (jobs, signal) => this.#deliverTogether(jobs, signal),
  };

  constructor(private readonly options: KlaviyoDestinationOptions) {}

  async deliver(job: DeliveryJob, signal: AbortSignal): Promise<DeliveryResult> {
    const startedAt = performance.now();
    const profile = profileIdentifiers(this.#recipient(job));
    if (!profile.ok) return { kind: 'failed', attempt: unanswered(startedAt, profile) };
    try {
      const token = await this.#token(job);
      const event = this.#toEvent(job, token);
      if (!event.ok) return { kind: 'failed', attempt: unanswered(startedAt, event) };
      const answer = await this.#send('events', job, token, JSON.stringify(event.body), signal);
      return await this.#read('events', job, answer, startedAt);
    } catch (error) {
      if (signal.aborted) return { kind: 'handBack' };
      const result = this.#explain(error, startedAt);
      return error instanceof PlacesTaken ? { kind: 'throttled', forMs: Math.min(error.waitMs, LOOK_AGAIN_MS) } : result;
    }
  }

  /**
   * Usually sends one request. Sends more when one would be too large, and another one without the events that Klaviyo refuses.
   */
  async #deliverTogether(jobs: readonly DeliveryJob[], signal: AbortSignal): Promise<DeliveryResult[]> {
    const startedAt = performance.now();
    const token = await this.#tokenOrResult(jobs[0] as DeliveryJob, startedAt, signal);
    if ('kind' in token) return jobs.map(() => token);
    const results = new Map<DeliveryJob, DeliveryResult>();
    const items = new Map<string, BulkItem & { readonly job: DeliveryJob }>();
    for (const job of jobs) {
      const event = this.#tryToEvent(job, token);
      // Building the event failed by an internal fault. Alone, the delivery reports it.
      if (!event) results.set(job, { kind: 'alone' });
      else if (!event.ok) results.set(job, { kind: 'failed', attempt: unanswered(startedAt, event) });
      else if (items.has(event.body.data.attributes.unique_id)) results.set(job, { kind: 'alone' });
      else items.set(event.body.data.attributes.unique_id, { job, event: event.body });
    }
    await Promise.all(
      toBulkRequests([...items.values()]).map(async (request) => {
        const { result, refused } = await this.#deliverBulk(request, token, signal, startedAt);
        const sent = request.profiles.flat();
        const rest = sent.filter((item) => !refused.has(item));
        for (const { job } of sent) results.set(job, result);
        if (refused.size === 0 || rest.length === 0 || performance.now() - startedAt > BULK_AGAIN_MS) return;
        for (const again of toBulkRequests(rest)) {
          const { result } = await this.#deliverBulk(again, token, signal, startedAt);
          for (const { job } of again.profiles.flat()) results.set(job, result);
        }
      }),
    );
    return jobs.map((job) => results.get(job) ?? { kind: 'alone' });
  }

  /** @returns the result for each of its events. It is `alone` for events that were refused, with those that Klaviyo named. */
  async #deliverBulk<Item extends BulkItem & { readonly job: DeliveryJob }>(
    request: BulkRequest<Item>,
    token: ProviderAccessToken,
    signal: AbortSignal,
    startedAt: number,
  ): Promise<{ readonly result: DeliveryResult; readonly refused: ReadonlySet<Item> }> {
    const job = request.profiles[0]?.[0]?.job as DeliveryJob;
    try {
      const answer = await this.#send('bulk', job, token, request.body, signal);
      const text = await answer.response.clone().text();
      const result = await this.#read('bulk', job, answer, startedAt);
      // Each event is attempted alone, which shows which one is at fault.
      if (result.kind === 'failed') return { result: { kind: 'alone' }, refused: readRefused(text, request) };
      return { result, refused: new Set() };
    } catch (error) {
      return { result: signal.aborted ? { kind: 'handBack' } : this.#explain(error, startedAt), refused: new Set() };
    }
  }

  #tryToEvent(job: DeliveryJob, token: ProviderAccessToken): KlaviyoEventResult | null {
    try {
      return this.#toEvent(job, token);
    } catch {
      return null;
    }
  }

  #toEvent(job: DeliveryJob, token: ProviderAccessToken): KlaviyoEventResult {
    const { cipher, backfillAfterMs } = this.options;
    const { id, eventType, createdAt, occurredAt, value, valueCurrency, isTest, payload, properties } = job.event;
    return toKlaviyoEvent({
      ...{ eventId: id, eventType, createdAt, occurredAt, value, valueCurrency, isTest, backfillAfterMs },
      account: accountOf(job, token),
      data: JSON.parse(payload),
      recipient: this.#recipient(job),
      properties: properties && JSON.parse(cipher.decrypt(properties, columnIdentity.properties(id))),
      nowMs: job.nowMs ?? Date.now(),
    });
  }

  #recipient({ event }: DeliveryJob): Recipient | null {
    return event.recipient && JSON.parse(this.options.cipher.decrypt(event.recipient, columnIdentity.recipient(event.id)));
  }

  async #token({ connection }: DeliveryJob, refusedVersion?: number): Promise<ProviderAccessToken> {
    try {
      return await this.options.accessToken(connection.id, refusedVersion);
    } catch (error) {
      throw error instanceof ProviderError ? new TokenUnavailable(error.retryAfterSeconds ?? TOKEN_PAUSE_SECONDS) : error;
    }
  }

  async #tokenOrResult(job: DeliveryJob, startedAt: number, signal: AbortSignal): Promise<ProviderAccessToken | DeliveryResult> {
    try {
      return await this.#token(job);
    } catch (error) {
      return signal.aborted ? { kind: 'handBack' } : this.#explain(error, startedAt);
    }
  }

  /** Sends a request. After a 401 (RFC 6750 3.1) it renews the access token once and sends the request again. */
  async #send(
    endpoint: keyof typeof ADDRESSES,
    job: DeliveryJob,
    token: ProviderAccessToken,
    body: string,
    signal: AbortSignal,
  ): Promise<Answer> {
    const response = await this.#post(endpoint, job, token, body, signal);
    if (response.status !== 401) return { response, token };
    const newer = await this.#token(job, token.version);
    return { response: await this.#post(endpoint, job, newer, body, signal), token: newer };
  }

  async #post(
    endpoint: keyof typeof ADDRESSES,
    job: DeliveryJob,
    token: ProviderAccessToken,
    body: string,
    signal: AbortSignal,
  ): Promise<Response> {
    const { limits, apiUrl, revision, fetch } = this.options;
    const account = accountOf(job, token);
    let waitMs = await limits.take(account, endpoint);
    if (endpoint === 'bulk' && waitMs > 0 && waitMs <= BULK_PATIENCE_MS) {
      await sleep(waitMs, undefined, { signal });
      waitMs = await limits.take(account, endpoint);
    }
    if (waitMs > 0) throw new PlacesTaken(waitMs);
    const response = await fetch(`${apiUrl}${ADDRESSES[endpoint]}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token.token}`,
        revision,
        accept: 'application/vnd.api+json',
        'content-type': 'application/vnd.api+json',
      },
      body: body,
      signal,
    });
    await limits.heard(account, endpoint, response.headers);
    return response;
  }

  async #read(
    endpoint: keyof typeof ADDRESSES,
    job: DeliveryJob,
    { response, token }: Answer,
    startedAt: number,
  ): Promise<DeliveryResult> {
    const result = await readEventAnswer(response, startedAt);
    if (result.kind === 'throttled') await this.options.limits.pause(accountOf(job, token), endpoint, result.forMs);
    if (result.missingScope) await this.options.scopeMissing(job.connection.id, token.version, result.missingScope);
    return result;
  }

  #explain(error: unknown, startedAt: number): DeliveryResult {
    if (error instanceof GrantLost) return { kind: 'hold', attempt: null, reason: error.message };
    if (error instanceof TokenUnavailable) return { kind: 'throttled', forMs: error.retryAfterSeconds * 1_000 };
    if (error instanceof PlacesTaken) return { kind: 'throttled', forMs: error.waitMs };
    if (error instanceof DOMException && error.name === 'TimeoutError') {
      return { kind: 'retry', attempt: unanswered(startedAt, { code: 'timeout', message: 'Klaviyo did not answer in time.' }) };
    }
    // `fetch` rejects with a TypeError for every network error. Any other error is an internal fault.
    if (!(error instanceof TypeError || error instanceof ProviderError)) throw error;
    const message = 'Klaviyo could not be reached, or its answer could not be read.';
    return { kind: 'retry', attempt: unanswered(startedAt, { code: 'provider_unavailable', message }) };
  }
}

/** No access token is available because of an outage or a limit of the token endpoint. Waiting uses up no attempt. */
class TokenUnavailable extends Error {
  constructor(readonly retryAfterSeconds: number) {
    super('No access token at the moment.');
  }
}

/** The account's limit is used up for `waitMs` milliseconds. Nothing was sent. */
class PlacesTaken extends Error {
  constructor(readonly waitMs: number) {
    super('The rate limit is used up.');
  }
}

/**
 * Returns the account by which Klaviyo counts and records. A connection with an unknown account counts as an account of its own.
 */
function accountOf({ connection }: DeliveryJob, { accountId }: ProviderAccessToken): string {
  return accountId ?? `connection:${connection.id}`;
}

function unanswered(startedAt: number, { code, message }: { code: string; message: string }): AttemptReport {
  return {
    durationMs: Math.round(performance.now() - startedAt),
    statusCode: null,
    responseBody: null,
    error: { code, message },
  };
}

/** The engine stores at most this many bytes of a response. */
const MAX_BODY = 16_384;
/** Pause after a 429 that names no time. */
const THROTTLE_PAUSE_SECONDS = 1;

/** Matches a scope's name in a sentence of Klaviyo's. */
const NAMED_SCOPE = /\b[a-z]+(?:-[a-z]+)*:(?:read|write)\b/;

/** The meaning of a response, with the required scope when the grant lacks it. */
type EventAnswer = DeliveryResult & { readonly missingScope?: string };

interface JsonApiError {
  readonly code: string | null;
  readonly detail: string | null;
}

/**
 * Converts Klaviyo's response to `POST /api/events` to a result. A body that is not JSON never fails a delivery for good.
 * @param startedAt `performance.now()` at the beginning of the attempt.
 */
export async function readEventAnswer(response: Response, startedAt: number): Promise<EventAnswer> {
  const body = (await response.text()).slice(0, MAX_BODY);
  const { status } = response;
  const report = (error: AttemptReport['error']): AttemptReport => ({
    durationMs: Math.round(performance.now() - startedAt),
    statusCode: status,
    responseBody: body,
    error,
  });
  if (status >= 200 && status < 300) return { kind: 'delivered', attempt: report(null) };
  const retryAfterMs = parseRetryAfter(Object.fromEntries(response.headers), Date.now(), HOUR_MS) || null;
  if (status === 429) return { kind: 'throttled', forMs: retryAfterMs ?? THROTTLE_PAUSE_SECONDS * 1000 };

  const said = readError(body);
  if (status === 403 && said?.code === 'permission_denied') {
    const missingScope = NAMED_SCOPE.exec(said.detail ?? '')?.[0] ?? DELIVERY_SCOPE;
    const message = `The grant lacks the scope ${missingScope}: connect again and allow it.`;
    return { kind: 'hold', attempt: report({ code: 'permission_denied', message }), reason: message, missingScope };
  }
  // A readable refusal is permanent. Everything else (5xx, 401 after a refresh, HTML from the CDN) may be temporary.
  if (said && status >= 400 && status < 500 && status !== 401 && status !== 408) {
    const message = `Klaviyo refused the event: ${said.detail ?? said.code ?? status}`;
    return { kind: 'failed', attempt: report({ code: said.code ?? 'refused', message: message.slice(0, 500) }) };
  }
  const attempt = report({ code: 'bad_status', message: `Klaviyo answered ${status}.` });
  return { kind: 'retry', attempt, delayMs: status === 503 ? retryAfterMs : null };
}

function readError(body: string): JsonApiError | null {
  try {
    const { errors } = JSON.parse(body) as { errors?: { code?: unknown; detail?: unknown }[] };
    const [first] = Array.isArray(errors) ? errors : [];
    return first && typeof first === 'object' ? { code: textOrNull(first.code), detail: textOrNull(first.detail) } : null;
  } catch {
    return null;
  }
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
