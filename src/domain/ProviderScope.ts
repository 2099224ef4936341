/** A scope as an authorization request may carry it (RFC 6749 3.3, scope-token). Its length is bounded by us. */
export const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/;

/** A permission that a provider knows, such as `events:write`. */
export interface ProviderScope {
  readonly name: string;
  readonly resource: string;
  readonly access: 'read' | 'write';
  /** True when every authorization must ask for it. */
  readonly required: boolean;
}
