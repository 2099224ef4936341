import type { ApiKeyScope } from './ApiKey.js';

/** Who is calling. Every use case takes one and touches nothing outside its organization. */
export interface Caller {
  readonly organizationId: number;
  readonly apiKeyId: number;
  readonly scopes: ReadonlySet<ApiKeyScope>;
  /** What they presented. */
  readonly credential: 'api_key' | 'access_token';
  /** The IP address that the call comes from. */
  readonly address: string;
}
