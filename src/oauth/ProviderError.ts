/**
 * What a failure at the provider means to us:
 * - `grant`: the code or refresh token is no good; only a new authorization helps.
 * - `configuration`: our client id, secret or redirect URI is refused; an operator must act, no merchant is to blame.
 * - `transient`: an outage, a limit or an answer that can't be read; later may be better.
 */
export type ProviderErrorKind = 'grant' | 'configuration' | 'transient';

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
