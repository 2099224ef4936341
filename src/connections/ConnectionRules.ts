import type { ProviderScope } from '../domain/ProviderScope.js';

/** What connections need to know of destinations in order to check a configuration; each answer is a sentence or null. */
export interface ConnectionRules {
  checkWebhookUrl(url: string): string | null;
  checkHeader(name: string, value: string): string | null;
  /** Null when this server has neither a Klaviyo app nor the sandbox. */
  readonly klaviyo: { readonly scopes: readonly ProviderScope[]; readonly defaultScopes: readonly string[] } | null;
}
