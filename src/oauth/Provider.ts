import { InputError } from '../domain/errors.js';
import type { OperatorAlarm } from '../domain/OperatorAlarm.js';
import type { ProviderScope } from '../domain/ProviderScope.js';

/** What a token endpoint answered (RFC 6749 5.1). */
export interface TokenSet {
  readonly accessToken: string;
  /** Null when the provider sent none: the one in hand stays good. */
  readonly refreshToken: string | null;
  /** Granted scopes; null when the provider did not say, which means: as asked (RFC 6749 5.1). */
  readonly scopes: readonly string[] | null;
  /** A whole number, ten years at most. */
  readonly expiresInSeconds: number;
}

/** The account at the provider that a grant belongs to. */
export interface ProviderAccount {
  readonly id: string;
  readonly name: string | null;
  readonly timezone: string | null;
}

/**
 * The OAuth side of a destination. Every method that calls the provider takes at most 10 s,
 * never retries by itself, and throws a ProviderError for whatever the provider did.
 */
export interface Provider {
  /** The name of its connection type. */
  readonly id: string;
  /** What people call it, for pages and messages. */
  readonly name: string;
  readonly clientId: string;
  readonly redirectUri: string;
  /** Every scope that may be asked for. */
  readonly scopes: readonly ProviderScope[];
  readonly defaultScopes: readonly string[];
  /** What delivering an event needs. */
  readonly deliveryScope: string;
  /** True when a stand-in answers instead of the real provider. */
  readonly sandbox: boolean;

  /** Whether an `iss` that came with a callback is the provider's own (RFC 9207 2.4). */
  isIssuer(iss: string): boolean;
  authorizationUrl(request: { state: string; codeChallenge: string; scopes: readonly string[] }): string;
  exchange(grant: { code: string; codeVerifier: string; redirectUri: string }): Promise<TokenSet>;
  refresh(refreshToken: string): Promise<TokenSet>;
  /** RFC 7009. Also good when the token is long gone. */
  revoke(token: string, hint: 'access_token' | 'refresh_token'): Promise<void>;
  /** @param accountId of the account, where it is known: then the provider's limits for it are kept to. */
  account(accessToken: string, accountId?: string | null): Promise<ProviderAccount>;
}

/**
 * By connection type. A type that needs no authorization is not there; null: it needs one, but its provider is not set up on
 * this server.
 */
export type Providers = ReadonlyMap<string, Provider | null>;

/** What a connection that is linked by OAuth stores, beside whatever its type adds: the scopes that it asks for. */
export interface LinkedConfiguration {
  readonly scopes: readonly string[];
}

/** The provider of a connection. Throws an InputError: INVALID, with `unlinked` as reason for a type that needs none. */
export function requireProvider(providers: Providers, type: string, unlinked: string): Provider {
  const provider = providers.get(type);
  if (provider) return provider;
  const message = providers.has(type)
    ? `The provider ${type} is not set up on this server: its operator has to do that.`
    : unlinked;
  throw InputError.of('INVALID', message, 'connectionId');
}

/**
 * What a failure at the provider means to us:
 * - `grant`: the code or refresh token is no good; only a new authorization helps.
 * - `configuration`: our client id, secret or redirect URI is refused; an operator must act, no merchant is to blame.
 * - `transient`: an outage, a limit or an answer that can't be read; later may be better.
 */
type ProviderErrorKind = 'grant' | 'configuration' | 'transient';

export class ProviderError extends Error {
  override readonly name = 'ProviderError';

  constructor(
    readonly kind: ProviderErrorKind,
    /** Stable and ours, or the provider's own OAuth error code. */
    readonly code: string,
    /** Safe to show: holds no token, code or secret. */
    message: string,
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(message);
  }
}

/**
 * The provider, which from now on raises an alarm whenever it refuses our own client id or secret, whatever was asked of
 * it: an exchange, a refresh or a revocation. What it grants with them ends the alarm.
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
    // With the merchant's token, which says nothing of ours.
    account: (accessToken, accountId) => provider.account(accessToken, accountId),
  };
}
