import type { Cipher } from '../../database/Cipher.js';
import type { DeliveryJob, DestinationConnection, EventToDeliver } from '../DeliveryJob.js';
import type { DeliveryResult, Destination } from '../Destination.js';
import type { GuardedHttp } from '../http/guardedHttp.js';
import { signDelivery } from '../signing/signDelivery.js';
import { type PreparedWebhook, prepareWebhook } from './prepareWebhook.js';
import { toDeliveryResult } from './toDeliveryResult.js';

export interface WebhookDestinationOptions {
  readonly http: GuardedHttp;
  readonly cipher: Cipher;
  /** Returns a connection's encrypted signing secret, made and stored if it had none. Null: the connection is gone. */
  readonly ensureSigningSecret: (connectionId: number) => Promise<string | null>;
  /** Milliseconds for the whole exchange. */
  readonly timeoutMs: number;
  /** Longest Retry-After that is obeyed, in milliseconds. */
  readonly retryAfterCapMs?: number;
}

const HOUR_MS = 3_600_000;

/** Delivers to a URL of the merchant, signed as Standard Webhooks 1.0 says. */
export class WebhookDestination implements Destination {
  readonly type = 'webhook';
  readonly maxDurationMs: number;
  readonly #options: WebhookDestinationOptions;
  /** Decrypted secrets and headers, for as long as the engine keeps the connection in this version. */
  readonly #prepared = new WeakMap<DestinationConnection, PreparedWebhook>();

  constructor(options: WebhookDestinationOptions) {
    this.#options = options;
    this.maxDurationMs = options.timeoutMs;
  }

  async deliver(job: DeliveryJob, signal: AbortSignal): Promise<DeliveryResult> {
    const { http, timeoutMs, retryAfterCapMs = HOUR_MS } = this.#options;
    const webhook = this.#prepared.get(job.connection) ?? (await this.#prepare(job.connection));
    // A receiver refuses a signature whose time is far from its own.
    const startedAtMs = job.nowMs ?? Date.now();
    const body = Buffer.from(`{"event_type":${JSON.stringify(job.event.eventType)},"data":${job.event.payload}}`);
    const signature = signDelivery({
      id: job.deliveryId,
      timestampSeconds: Math.floor(startedAtMs / 1_000),
      body,
      secrets: webhook.secretsAt(startedAtMs),
    });
    const outcome = await http.send({
      url: webhook.url,
      method: 'POST',
      headers: { ...webhook.headers, ...signature, ...eventHeaders(job.event) },
      body,
      timeoutMs: Math.min(timeoutMs, job.timeoutMs ?? timeoutMs),
      signal,
    });
    return toDeliveryResult(outcome, { nowMs: startedAtMs + outcome.durationMs, retryAfterCapMs });
  }

  async #prepare(connection: DestinationConnection): Promise<PreparedWebhook> {
    const { cipher, ensureSigningSecret } = this.#options;
    const signingSecret = connection.signingSecret ?? (await ensureSigningSecret(connection.id));
    if (signingSecret === null) throw new Error(`Connection ${connection.id} is gone.`);
    const prepared = prepareWebhook(cipher, { ...connection, signingSecret });
    this.#prepared.set(connection, prepared);
    return prepared;
  }
}

/** Which event it is, and when it happened (RFC 3339, in UTC): the body is the API's, and has no place for it. */
function eventHeaders({ id, occurredAt, createdAt, isTest }: EventToDeliver): Record<string, string> {
  const headers = { 'webhook-event-id': id, 'webhook-event-time': (occurredAt ?? createdAt).toISOString() };
  return isTest ? { ...headers, 'webhook-test': 'true' } : headers;
}
