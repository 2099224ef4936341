/** A permission that a provider knows, such as `events:write`. */
export interface ProviderScope {
  readonly name: string;
  readonly resource: string;
  readonly access: 'read' | 'write';
  /** True when every authorization must ask for it. */
  readonly required: boolean;
}
