import { setTimeout as sleep } from 'node:timers/promises';
import * as oauth from 'oauth4webapi';
import { parseRetryAfter } from '../domain/retryAfter.js';
import { type Provider, type ProviderAccount, ProviderError, type TokenSet } from '../oauth/Provider.js';
import type { BoundedFetch } from './createBoundedFetch.js';
import type { KlaviyoRateLimits } from './KlaviyoRateLimits.js';
import { DELIVERY_SCOPE, klaviyoScopes } from './klaviyoScopes.js';

interface KlaviyoOAuthOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUri: string;
  /** Klaviyo: https://www.klaviyo.com/oauth/authorize */
  readonly authorizeUrl: string;
  /** Klaviyo: https://a.klaviyo.com; `/oauth/token`, `/oauth/revoke` and `/api` are below it. */
  readonly apiUrl: string;
  /** The API's `revision` header, a date. */
  readonly revision: string;
  readonly defaultScopes: readonly string[];
  readonly sandbox: boolean;
  readonly fetch: BoundedFetch;
  /** The limits for reading accounts. Without it, this process counts as the only one that reads them. */
  readonly limits?: Pick<KlaviyoRateLimits, 'take'>;
}

/**
 * Milliseconds that reading an account waits for a place. Klaviyo allows one request a second, and every other second is used.
 */
const ACCOUNT_PATIENCE_MS = 2_100;

/** Lifetime of Klaviyo's access tokens, assumed when a response does not name one. */
const DEFAULT_EXPIRES_IN_SECONDS = 3600;
/** Maximum lifetime that is accepted; longer ones are reduced to ten years. */
const LONGEST_EXPIRES_IN_SECONDS = 10 * 365 * 86_400;

/** Implements Klaviyo as an OAuth provider: authorization code with PKCE S256 and a confidential client. */
export class KlaviyoOAuth implements Provider {
  readonly id = 'klaviyo';
  readonly name = 'Klaviyo';
  readonly scopes = klaviyoScopes;
  readonly deliveryScope = DELIVERY_SCOPE;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly defaultScopes: readonly string[];
  readonly sandbox: boolean;
  readonly #server: oauth.AuthorizationServer;
  readonly #client: oauth.Client;
  readonly #authentication: oauth.ClientAuth;
  readonly #request: { [oauth.customFetch]: BoundedFetch; [oauth.allowInsecureRequests]: true };

  constructor(private readonly options: KlaviyoOAuthOptions) {
    this.clientId = options.clientId;
    this.redirectUri = options.redirectUri;
    this.defaultScopes = options.defaultScopes;
    this.sandbox = options.sandbox;
    this.#server = {
      issuer: new URL(options.authorizeUrl).origin,
      token_endpoint: `${options.apiUrl}/oauth/token`,
      revocation_endpoint: `${options.apiUrl}/oauth/revoke`,
    };
    this.#client = { client_id: options.clientId };
    // Klaviyo expects the raw id and secret, although RFC 6749 2.3.1 percent-encodes them first.
    const basic = `Basic ${Buffer.from(`${options.clientId}:${options.clientSecret}`).toString('base64')}`;
    this.#authentication = (_server, _client, _body, headers) => headers.set('authorization', basic);
    // Plain http is for loopback only. The configuration has already checked that.
    this.#request = { [oauth.customFetch]: options.fetch, [oauth.allowInsecureRequests]: true };
  }

  /**
   * Returns whether `iss` belongs to this provider. Klaviyo publishes no issuer. Other servers have their authorization endpoint
   * at or below their issuer, such as https://host/realms/one and https://host/realms/one/authorize.
   */
  isIssuer(iss: string): boolean {
    const [place, endpoint] = [iss, this.options.authorizeUrl].map((url) => (URL.canParse(url) ? new URL(url) : null));
    if (!place || !endpoint || place.origin !== endpoint.origin || place.search || place.hash) return false;
    return `${endpoint.pathname}/`.startsWith(`${place.pathname.replace(/\/+$/, '')}/`);
  }

  authorizationUrl(request: { state: string; codeChallenge: string; scopes: readonly string[] }): string {
    const url = new URL(this.options.authorizeUrl);
    url.searchParams.set('response_type', 'code');
    url.searchParams.set('client_id', this.clientId);
    url.searchParams.set('redirect_uri', this.redirectUri);
    url.searchParams.set('scope', request.scopes.join(' '));
    url.searchParams.set('state', request.state);
    url.searchParams.set('code_challenge_method', 'S256');
    url.searchParams.set('code_challenge', request.codeChallenge);
    return url.href;
  }

  async exchange(grant: { code: string; codeVerifier: string; redirectUri: string }): Promise<TokenSet> {
    return this.#tokens([grant.code, grant.codeVerifier], () =>
      // The callback has already checked state, issuer and duplicates. This call only marks the parameters as checked.
      oauth.authorizationCodeGrantRequest(
        this.#server,
        this.#client,
        this.#authentication,
        oauth.validateAuthResponse(this.#server, this.#client, new URLSearchParams({ code: grant.code }), oauth.expectNoState),
        grant.redirectUri,
        grant.codeVerifier,
        this.#request,
      ),
    );
  }

  refresh(refreshToken: string): Promise<TokenSet> {
    return this.#tokens([refreshToken], () =>
      oauth.refreshTokenGrantRequest(this.#server, this.#client, this.#authentication, refreshToken, this.#request),
    );
  }

  async revoke(token: string, hint: 'access_token' | 'refresh_token'): Promise<void> {
    try {
      const response = await oauth.revocationRequest(this.#server, this.#client, this.#authentication, token, {
        ...this.#request,
        additionalParameters: { token_type_hint: hint },
      });
      await oauth.processRevocationResponse(withoutChallenge(response));
    } catch (error) {
      throw toProviderError(error, [token]);
    }
  }

  /**
   * Reads the account of an access token. Klaviyo limits this to one request a second and 15 a minute for each account. For a new
   * grant the account is not known before the request.
   */
  async account(accessToken: string, accountId: string | null = null): Promise<ProviderAccount> {
    if (accountId !== null) await this.#waitForAccountTurn(accountId);
    try {
      const response = await this.options.fetch(`${this.options.apiUrl}/api/accounts`, {
        headers: { authorization: `Bearer ${accessToken}`, revision: this.options.revision, accept: 'application/vnd.api+json' },
      });
      const account = await readAccount(response);
      // Counted afterwards, so that later requests see it.
      if (accountId === null) void this.options.limits?.take(account.id, 'accounts').catch(() => {});
      return account;
    } catch (error) {
      throw toProviderError(error);
    }
  }

  async #waitForAccountTurn(accountId: string): Promise<void> {
    const until = performance.now() + ACCOUNT_PATIENCE_MS;
    for (;;) {
      const waitMs = (await this.options.limits?.take(accountId, 'accounts')) ?? 0;
      if (waitMs === 0) return;
      if (performance.now() + waitMs > until) {
        const message = "The limit of Klaviyo's accounts API is used up for a moment.";
        throw new ProviderError('transient', 'rate_limited', message, Math.ceil(waitMs / 1_000));
      }
      await sleep(waitMs);
    }
  }

  async #tokens(secrets: readonly string[], request: () => Promise<Response>): Promise<TokenSet> {
    try {
      const response = withoutChallenge(await request());
      const answer = await oauth.processGenericTokenEndpointResponse(this.#server, this.#client, response);
      return {
        accessToken: answer.access_token,
        refreshToken: answer.refresh_token ?? null,
        // A blank scope counts as absent (RFC 6749 3.3 requires at least one).
        scopes: answer.scope?.trim() ? answer.scope.trim().split(/\s+/) : null,
        expiresInSeconds: Math.min(Math.floor(answer.expires_in ?? DEFAULT_EXPIRES_IN_SECONDS), LONGEST_EXPIRES_IN_SECONDS),
      };
    } catch (error) {
      throw toProviderError(error, secrets);
    }
  }
}

/**
 * Removes the challenge of a 401 (RFC 6749 5.2), which oauth4webapi would report instead of the body. The body says what is
 * wrong: `invalid_client` is for an operator to repair, while an HTML page from the CDN is an outage.
 */
function withoutChallenge(response: Response): Response {
  response.headers.delete('www-authenticate');
  return response;
}

/** Reads the response of `GET /api/accounts` (JSON:API, scope accounts:read): the one account of the access token. */
export async function readAccount(response: Response): Promise<ProviderAccount> {
  if (response.status === 401 && (await says(response, 'not_authenticated'))) {
    throw new ProviderError('grant', 'not_authenticated', 'Klaviyo did not accept the access token.');
  }
  if (response.status === 403 && (await says(response, 'permission_denied'))) {
    throw new ProviderError('grant', 'permission_denied', 'The grant lacks accounts:read.');
  }
  if (response.status === 429) {
    throw new ProviderError('transient', 'rate_limited', "Klaviyo's accounts API is limiting requests.", pauseSeconds(response));
  }
  if (response.status !== 200) {
    throw new ProviderError('transient', 'provider_unavailable', `Klaviyo's accounts API answered ${response.status}.`);
  }
  const body = (await response.json()) as { data?: { id?: unknown; attributes?: Record<string, unknown> }[] };
  const account = body.data?.[0];
  if (typeof account?.id !== 'string') {
    throw new ProviderError('transient', 'provider_unavailable', "Klaviyo's accounts API named no account.");
  }
  const contact = account.attributes?.contact_information as { organization_name?: unknown } | undefined;
  const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
  return { id: account.id, name: text(contact?.organization_name), timezone: text(account.attributes?.timezone) };
}

/** Returns whether a refusal names this code, as in JSON:API. An HTML page from the CDN says nothing about the grant. */
async function says(response: Response, code: string): Promise<boolean> {
  const body = (await response.json().catch(() => null)) as { errors?: { code?: unknown }[] } | null;
  return Array.isArray(body?.errors) && body.errors.some((error) => error?.code === code);
}

/** OAuth error codes (RFC 6749 5.2) about our configuration, not about the merchant's grant. */
const CONFIGURATION_CODES = new Set(['invalid_client', 'unauthorized_client', 'unsupported_grant_type', 'invalid_grant_type']);

/**
 * Converts a failed call to Klaviyo to a ProviderError. Only a readable OAuth error may invalidate a grant or blame our
 * configuration. Timeouts, resets, 5xx, limits and HTML from the CDN are always temporary. `secrets` are the values that were
 * sent: they are removed from the reason if the provider repeats them.
 */
function toProviderError(error: unknown, secrets: readonly string[] = []): ProviderError {
  if (error instanceof ProviderError) return error;
  if (error instanceof oauth.ResponseBodyError) return fromOAuthError(error, secrets);
  if (error instanceof oauth.OperationProcessingError && error.cause instanceof Response) return fromStatus(error.cause);
  if (error instanceof DOMException && (error.name === 'TimeoutError' || error.name === 'AbortError')) {
    return new ProviderError('transient', 'provider_timeout', 'Klaviyo did not answer in time.');
  }
  return new ProviderError('transient', 'provider_unavailable', 'Klaviyo could not be reached, or its answer could not be read.');
}

function fromOAuthError(
  { error, error_description: description, status, response }: oauth.ResponseBodyError,
  secrets: readonly string[],
): ProviderError {
  if (status === 429 || status >= 500) return fromStatus(response);
  const code = printable(error, secrets);
  const said = description ? `: ${printable(description, secrets)}` : '.';
  if (CONFIGURATION_CODES.has(error)) {
    return new ProviderError('configuration', code, `Klaviyo refused this server's own credentials (${code})${said}`);
  }
  return new ProviderError('grant', code, `Klaviyo refused the grant (${code})${said}`);
}

/** Maximum pause before the next try, whatever a response asks for, so that a merchant's events do not wait longer. */
const LONGEST_PAUSE_MS = 300_000;

/** Returns the pause that a response asks for in seconds; null when it names none. */
function pauseSeconds({ headers }: Response): number | null {
  const ms = parseRetryAfter(Object.fromEntries(headers), Date.now(), LONGEST_PAUSE_MS);
  return ms ? Math.ceil(ms / 1_000) : null;
}

function fromStatus(response: Response): ProviderError {
  if (response.status === 429) {
    return new ProviderError('transient', 'rate_limited', 'Klaviyo is limiting requests at the moment.', pauseSeconds(response));
  }
  return new ProviderError('transient', 'provider_unavailable', `Klaviyo answered ${response.status} without a readable reason.`);
}

/** A shorter text could be part of an ordinary word. */
const SHORTEST_SECRET = 16;

/** Returns the provider's text in a form that is safe for pages and rows: one line, limited, without our secrets. */
function printable(text: string, secrets: readonly string[]): string {
  const long = secrets.filter((secret) => secret.length >= SHORTEST_SECRET);
  const clean = long.reduce((said, secret) => said.replaceAll(secret, '…'), text);
  return clean.replace(/[^\x20-\x7e…]/g, ' ').slice(0, 300);
}
