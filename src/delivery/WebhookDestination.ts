import { type Cipher, columnIdentity } from '../database/Cipher.js';
import { HOUR_MS } from '../domain/duration.js';
import type { DeliveryJob, DestinationConnection, EventToDeliver } from './DeliveryJob.js';
import type { AttemptReport, DeliveryResult, Destination } from './Destination.js';
import type { GuardedHttp, HttpOutcome } from './http/guardedHttp.js';
import { decideOutcome, type OutcomeRules } from './retries.js';
import { signDelivery } from './signDelivery.js';

export const WEBHOOK_AUTH_TYPES = ['none', 'bearer', 'basic', 'api_key'] as const;
export type WebhookAuthType = (typeof WEBHOOK_AUTH_TYPES)[number];

/** The readable half of a webhook's configuration; its secrets are in `authConfig`, encrypted. */
export interface WebhookConfiguration {
  readonly url: string;
  readonly authType: WebhookAuthType;
  readonly extraHeaders: readonly { readonly name: string; readonly value: string }[];
}

interface WebhookDestinationOptions {
  readonly http: GuardedHttp;
  readonly cipher: Cipher;
  /** Returns a connection's encrypted signing secret, made and stored if it had none. Null: the connection is gone. */
  readonly ensureSigningSecret: (connectionId: number) => Promise<string | null>;
  /** Milliseconds for the whole exchange. */
  readonly timeoutMs: number;
  /** Longest Retry-After that is obeyed, in milliseconds. */
  readonly retryAfterCapMs?: number;
}

/** Delivers to a URL of the merchant, signed as Standard Webhooks 1.0 says. */
export class WebhookDestination implements Destination {
  readonly type = 'webhook';
  readonly signs = true;
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

/** Which event it is, and when it happened (RFC 3339, in UTC): the body is the API's, and has no place for it. */
function eventHeaders({ id, occurredAt, createdAt, isTest }: EventToDeliver): Record<string, string> {
  const headers = { 'webhook-event-id': id, 'webhook-event-time': (occurredAt ?? createdAt).toISOString() };
  return isTest ? { ...headers, 'webhook-test': 'true' } : headers;
}

/** What all deliveries to one webhook have in common, secrets decrypted. Never to be logged. */
interface PreparedWebhook {
  readonly url: string;
  /** All but the signature's, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The secrets that sign at a time (ms since 1970): the current one, and the one before until it expires. */
  secretsAt(nowMs: number): readonly string[];
}

/** Throws when a secret can't be decrypted. */
function prepareWebhook(cipher: Cipher, connection: DestinationConnection & { readonly signingSecret: string }): PreparedWebhook {
  const { id, authConfig, previousSigningSecret, previousSigningSecretExpiresAt } = connection;
  const { url, authType, extraHeaders } = connection.configuration as WebhookConfiguration;
  const auth = authConfig === null ? {} : JSON.parse(cipher.decrypt(authConfig, columnIdentity.webhookAuthConfig(id)));
  const headers: Record<string, string> = {};
  // Later ones win: a merchant's extra header never replaces one that the exchange depends on.
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

/** A webhook's auth secrets, as they are stored (encrypted). Which of them are there depends on the kind of auth. */
interface WebhookAuth {
  readonly token?: string;
  readonly username?: string;
  readonly password?: string;
  readonly headerName?: string;
  readonly apiKey?: string;
}

/** The header that authenticates us, its name in lower case: bearer (RFC 6750, 2.1), basic (RFC 7617, UTF-8) or an API key. */
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

/** How long a connection is left alone while our own resolver does not answer. */
const REST_MS = 5_000;

/** What an HTTP exchange means to the engine, with what is recorded of it. */
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
