import { type Cipher, columnIdentity } from '../database/Cipher.js';
import { HOUR_MS } from '../domain/duration.js';
import type { DeliveryJob, DestinationConnection, EventToDeliver } from './DeliveryJob.js';
import type { AttemptReport, DeliveryResult, Destination } from './Destination.js';
import type { GuardedHttp, HttpOutcome } from './http/guardedHttp.js';
import { decideOutcome, type OutcomeRules } from './retries.js';
import { signDelivery } from './signDelivery.js';

export const WEBHOOK_AUTH_TYPES = ['none', 'bearer', 'basic', 'api_key'] as const;
export type WebhookAuthType = (typeof WEBHOOK_AUTH_TYPES)[number];

/** The readable part of a webhook's configuration. Its secrets are encrypted in `authConfig`. */
export interface WebhookConfiguration {
  readonly url: string;
  readonly authType: WebhookAuthType;
  readonly extraHeaders: readonly { readonly name: string; readonly value: string }[];
}

interface WebhookDestinationOptions {
  readonly http: GuardedHttp;
  readonly cipher: Cipher;
  /** Returns a connection's encrypted signing secret, and creates it if there is none. Null: the connection is gone. */
  readonly ensureSigningSecret: (connectionId: number) => Promise<string | null>;
  /** Maximum duration of the whole exchange in milliseconds. */
  readonly timeoutMs: number;
  /** Longest Retry-After that is honoured, in milliseconds. */
  readonly retryAfterCapMs?: number;
}

/** Delivers to a merchant's URL, signed according to Standard Webhooks 1.0. */
export class WebhookDestination implements Destination {
  readonly type = 'webhook';
  readonly signs = true;
  readonly maxDurationMs: number;
  readonly #options: WebhookDestinationOptions;
  /** Decrypted secrets and headers, kept as long as the engine keeps this version of the connection. */
  readonly #prepared = new WeakMap<DestinationConnection, PreparedWebhook>();

  constructor(options: WebhookDestinationOptions) {
    this.#options = options;
    this.maxDurationMs = options.timeoutMs;
  }

  async deliver(job: DeliveryJob, signal: AbortSignal): Promise<DeliveryResult> {
    const { http, timeoutMs, retryAfterCapMs = HOUR_MS } = this.#options;
    const webhook = this.#prepared.get(job.connection) ?? (await this.#prepare(job.connection));
    // Postgres's clock, because a receiver rejects a signature whose timestamp is far from its own clock.
    const startedAtMs = job.nowMs ?? Date.now();
    const body = Buffer.from(`{"event_type":${JSON.stringify(job.event.eventType)},"data":${job.event.payload}}`);
    const signature = signDelivery({
      id: job.deliveryId,
      timestampSeconds: Math.floor(startedAtMs / 1_000),
      body,
      secrets: webhook.secretsAt(startedAtMs),
    });
    const exchange = await http.send({
      url: webhook.url,
      method: 'POST',
      headers: { ...webhook.headers, ...signature, ...eventHeaders(job.event) },
      body,
      timeoutMs: Math.min(timeoutMs, job.timeoutMs ?? timeoutMs),
      signal,
    });
    return toDeliveryResult(exchange, { nowMs: startedAtMs + exchange.durationMs, retryAfterCapMs });
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

/**
 * Returns headers with the event's id and the time it happened (RFC 3339, UTC). The body's shape is fixed by the API and has no
 * field for them.
 */
function eventHeaders({ id, occurredAt, createdAt, isTest }: EventToDeliver): Record<string, string> {
  const headers = { 'webhook-event-id': id, 'webhook-event-time': (occurredAt ?? createdAt).toISOString() };
  return isTest ? { ...headers, 'webhook-test': 'true' } : headers;
}

/** What all deliveries to one webhook share, with decrypted secrets. Must never be logged. */
interface PreparedWebhook {
  readonly url: string;
  /** All headers except the signature's, with names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Returns the secrets that sign at a time (ms since 1970): the current one, and the previous one until it expires. */
  secretsAt(nowMs: number): readonly string[];
}

/** Decrypts a connection's secrets and builds its headers. Throws when a secret cannot be decrypted. */
function prepareWebhook(cipher: Cipher, connection: DestinationConnection & { readonly signingSecret: string }): PreparedWebhook {
  const { id, authConfig, previousSigningSecret, previousSigningSecretExpiresAt } = connection;
  const { url, authType, extraHeaders } = connection.configuration as WebhookConfiguration;
  const auth = authConfig === null ? {} : JSON.parse(cipher.decrypt(authConfig, columnIdentity.authConfig(id)));
  const headers: Record<string, string> = {};
  // Later assignments win, so a merchant's extra header never replaces one that the exchange depends on.
  for (const { name, value } of extraHeaders) headers[name.toLowerCase()] = value;
  Object.assign(headers, authHeaders(authType, auth));
  headers['content-type'] = 'application/json';
  headers['user-agent'] = 'Switchboard/1.0';

  const current = [cipher.decrypt(connection.signingSecret, columnIdentity.signingSecret(id))];
  const previous = previousSigningSecret && cipher.decrypt(previousSigningSecret, columnIdentity.signingSecret(id));
  const both = previous ? [...current, previous] : current;
  const expiresAtMs = previousSigningSecretExpiresAt?.getTime() ?? 0;
  return { url, headers, secretsAt: (nowMs) => (nowMs < expiresAtMs ? both : current) };
}

/** A webhook's auth secrets before encryption. Which fields are set depends on the auth type. */
interface WebhookAuth {
  readonly token?: string;
  readonly username?: string;
  readonly password?: string;
  readonly headerName?: string;
  readonly apiKey?: string;
}

/**
 * Returns the header that authenticates Switchboard, its name in lower case: bearer (RFC 6750, 2.1), basic (RFC 7617, UTF-8) or
 * an API key.
 */
function authHeaders(authType: WebhookAuthType, auth: WebhookAuth): Record<string, string> {
  switch (authType) {
    case 'none':
      return {};
    case 'bearer':
      return { authorization: `Bearer ${auth.token ?? ''}` };
    case 'basic':
      return { authorization: `Basic ${Buffer.from(`${auth.username ?? ''}:${auth.password ?? ''}`).toString('base64')}` };
    case 'api_key':
      return auth.headerName ? { [auth.headerName.toLowerCase()]: auth.apiKey ?? '' } : {};
  }
}

/** Milliseconds for which a connection is paused while our own resolver does not answer. */
const REST_MS = 5_000;

/** Converts an HTTP exchange to a delivery's result, with the attempt's report. */
function toDeliveryResult(exchange: HttpOutcome, rules: OutcomeRules): DeliveryResult {
  const outcome = decideOutcome(exchange, rules);
  switch (outcome.kind) {
    case 'delivered':
      return { kind: 'delivered', attempt: report(exchange, null) };
    case 'handBack':
      return outcome;
    case 'unavailable':
      return { ...outcome, restMs: REST_MS };
    case 'retry':
      return { kind: 'retry', attempt: report(exchange, outcome.reason), delayMs: outcome.askedMs };
    case 'failed':
      return { kind: 'failed', attempt: report(exchange, outcome.reason) };
    case 'disable':
      return { ...outcome, attempt: report(exchange, outcome.reason) };
  }
}

function report(exchange: HttpOutcome, reason: string | null): AttemptReport {
  const { durationMs } = exchange;
  const code = exchange.kind === 'error' ? exchange.code : `http_${exchange.statusCode}`;
  return {
    durationMs,
    statusCode: exchange.kind === 'response' ? exchange.statusCode : null,
    responseBody: exchange.kind === 'response' ? exchange.body : null,
    error: reason === null ? null : { code, message: reason },
  };
}
