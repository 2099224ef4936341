import type { ApiKeyScope, PLATFORM_SCOPE } from './ApiKey.js';

/** Who is calling. Every use case takes one and touches nothing outside its organization. */
export interface Caller {
  readonly organizationId: number;
  readonly apiKeyId: number;
  readonly scopes: ReadonlySet<ApiKeyScope>;
  /** What they presented. */
  readonly credential: 'api_key' | 'access_token' | 'platform_key';
  /** The IP address that the call comes from. */
  readonly address: string;
}

/** A platform that acts for no organization: it manages them, and touches nothing inside of any. */
export interface Platform {
  readonly organizationId: null;
  readonly apiKeyId: number;
  readonly scopes: ReadonlySet<typeof PLATFORM_SCOPE>;
  readonly credential: 'platform_key';
  /** The IP address that the call comes from. */
  readonly address: string;
}
