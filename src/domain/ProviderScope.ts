/** Matches a scope in an authorization request (RFC 6749 3.3, scope-token). The maximum length is our own. */
export const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/;

/** A permission at a provider, such as `events:write`. */
export interface ProviderScope {
  readonly name: string;
  readonly resource: string;
  readonly access: 'read' | 'write';
  /** True when every authorization must request it. */
  readonly required: boolean;
}
