import { InputError } from '../domain/errors.js';
import type { OperatorAlarm } from '../domain/OperatorAlarm.js';
import type { ProviderScope } from '../domain/ProviderScope.js';

/** The response of a token endpoint (RFC 6749 5.1). */
export interface TokenSet {
  readonly accessToken: string;
  /** Null when the provider sent none. The stored one then stays valid. */
  readonly refreshToken: string | null;
  /** Granted scopes. Null when the provider did not say, which means the requested ones (RFC 6749 5.1). */
  readonly scopes: readonly string[] | null;
  /** A whole number, at most ten years. */
  readonly expiresInSeconds: number;
}

/** The account at the provider that a grant belongs to. */
export interface ProviderAccount {
  readonly id: string;
  readonly name: string | null;
  readonly timezone: string | null;
}

/**
 * The OAuth side of a destination. Each method that calls the provider takes at most 10 s, never retries by itself, and
 * throws a ProviderError for every failure at the provider.
 */
export interface Provider {
  /** The name of its connection type. */
  readonly id: string;
  /** Display name, for pages and messages. */
  readonly name: string;
  readonly clientId: string;
  readonly redirectUri: string;
  /** All scopes that can be requested. */
  readonly scopes: readonly ProviderScope[];
  readonly defaultScopes: readonly string[];
  /** The scope that delivering an event needs. */
  readonly deliveryScope: string;
  /** True when a stand-in answers instead of the real provider. */
  readonly sandbox: boolean;

  /** Whether an `iss` parameter of a callback is the provider's own (RFC 9207 2.4). */
  isIssuer(iss: string): boolean;
  authorizationUrl(request: { state: string; codeChallenge: string; scopes: readonly string[] }): string;
  exchange(grant: { code: string; codeVerifier: string; redirectUri: string }): Promise<TokenSet>;
  refresh(refreshToken: string): Promise<TokenSet>;
  /** Revokes a token (RFC 7009). It succeeds for a token that is no longer valid. */
  revoke(token: string, hint: 'access_token' | 'refresh_token'): Promise<void>;
  /** @param accountId the account's id, where it is known. The provider's rate limits for it are then respected. */
  account(accessToken: string, accountId?: string | null): Promise<ProviderAccount>;
}

/**
 * Providers by connection type. A type that needs no authorization is not included. Null: the type needs one, but this
 * server is not configured for its provider.
 */
export type Providers = ReadonlyMap<string, Provider | null>;

/**
 * The stored configuration of a connection that is linked by OAuth: the scopes that it requests, besides the type's own
 * fields.
 */
export interface LinkedConfiguration {
  readonly scopes: readonly string[];
}

/**
 * Returns the provider of a connection. Throws an InputError INVALID, with the message `unlinked` for a type that needs no
 * authorization.
 */
export function requireProvider(providers: Providers, type: string, unlinked: string): Provider {
  const provider = providers.get(type);
  if (provider) return provider;
  const message = providers.has(type)
    ? `The provider ${type} is not set up on this server: its operator has to do that.`
    : unlinked;
  throw InputError.of('INVALID', message, 'connectionId');
}

/**
 * What a failure at the provider means:
 * - `grant`: the code or refresh token is invalid; only a new authorization helps.
 * - `configuration`: our client id, secret or redirect URI is refused; an operator must act, merchants are not at fault.
 * - `transient`: an outage, a rate limit or an unreadable response; a later try may succeed.
 */
type ProviderErrorKind = 'grant' | 'configuration' | 'transient';

export class ProviderError extends Error {
  override readonly name = 'ProviderError';

  constructor(
    readonly kind: ProviderErrorKind,
    /** A stable code of ours, or the provider's own OAuth error code. */
    readonly code: string,
    /** Safe to show: contains no token, code or secret. */
    message: string,
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(message);
  }
}

/**
 * Wraps a provider so that it raises an alarm when it refuses our own client id or secret, in an exchange, a refresh or a
 * revocation. When one of them succeeds, the alarm ends.
 */
export function raisingAlarms(provider: Provider, alarm: OperatorAlarm): Provider {
  const name = `${provider.id}-configuration`;
  const watched = async <Answer>(call: Promise<Answer>): Promise<Answer> => {
    try {
      const answer = await call;
      alarm.clear(name);
      return answer;
    } catch (error) {
      if (error instanceof ProviderError && error.kind === 'configuration') alarm.raise(name, error.message);
      throw error;
    }
  };
  const { id, clientId, redirectUri, scopes, defaultScopes, deliveryScope, sandbox } = provider;
  return {
    ...{ id, name: provider.name, clientId, redirectUri, scopes, defaultScopes, deliveryScope, sandbox },
    isIssuer: (iss) => provider.isIssuer(iss),
    authorizationUrl: (request) => provider.authorizationUrl(request),
    exchange: (grant) => watched(provider.exchange(grant)),
    refresh: (refreshToken) => watched(provider.refresh(refreshToken)),
    revoke: (token, hint) => watched(provider.revoke(token, hint)),
    // This call uses the merchant's token, so its result says nothing about our own credentials.
    account: (accessToken, accountId) => provider.account(accessToken, accountId),
  };
}
