import type { WebhookConfiguration } from '../domain/Connection.js';
import type { ProblemList } from '../domain/ProblemList.js';
import type { WebhookInput } from './ConnectionInput.js';
import type { ConnectionRules } from './ConnectionRules.js';
import { checkWebhookAuth, type WebhookAuthConfig } from './checkWebhookAuth.js';

const MAX_HEADERS = 20;

export interface CheckedWebhook {
  readonly configuration: WebhookConfiguration;
  readonly authConfig: WebhookAuthConfig | null;
}

/**
 * Checks a webhook's configuration, merged over the stored one when there is one. What only the old origin (RFC 6454 4) may
 * see does not go to a new one by itself: secrets and extra headers are asked for again. Problems go to the list.
 */
export function checkWebhook(
  input: WebhookInput,
  stored: CheckedWebhook | null,
  rules: ConnectionRules,
  problems: ProblemList,
): CheckedWebhook {
  const url = checkUrl(input.url ?? stored?.configuration.url, rules, problems);
  const authType = input.authType ?? stored?.configuration.authType ?? 'none';
  const moves = stored !== null && originOf(url) !== originOf(stored.configuration.url);
  const storedAuth = stored?.configuration.authType === authType && !moves ? stored.authConfig : null;
  const authConfig = checkWebhookAuth(authType, input.authConfig, storedAuth, rules, problems);
  const extraHeaders = input.extraHeaders
    ? checkHeaders(input.extraHeaders, rules, problems)
    : (stored?.configuration.extraHeaders ?? []);
  if (moves && !input.extraHeaders && extraHeaders.length > 0) {
    const message = 'The URL moves to another origin: give extraHeaders again, or an empty list of them.';
    problems.add('REQUIRED', message, 'webhook', 'extraHeaders');
  }
  return { configuration: { url, authType, extraHeaders }, authConfig };
}

function originOf(url: string): string | null {
  return URL.parse(url)?.origin ?? null;
}

function checkUrl(url: URL | string | undefined, rules: ConnectionRules, problems: ProblemList): string {
  if (url === undefined || url === '') {
    problems.add('REQUIRED', 'A webhook connection needs a URL.', 'webhook', 'url');
    return '';
  }
  const problem = rules.checkWebhookUrl(String(url));
  if (problem) problems.add('INVALID', problem, 'webhook', 'url');
  return String(url);
}

function checkHeaders(
  headers: readonly { readonly name: string; readonly value: string }[],
  rules: ConnectionRules,
  problems: ProblemList,
): WebhookConfiguration['extraHeaders'] {
  if (headers.length > MAX_HEADERS) {
    problems.add('INVALID', `At most ${MAX_HEADERS} extra headers.`, 'webhook', 'extraHeaders');
    return [];
  }
  const seen = new Set<string>();
  headers.forEach(({ name, value }, index) => {
    const path = ['webhook', 'extraHeaders', String(index)];
    const problem = rules.checkHeader(name, value);
    if (problem) problems.add('INVALID', problem, ...path);
    if (seen.has(name.toLowerCase())) problems.add('INVALID', 'A header of that name is there already.', ...path, 'name');
    seen.add(name.toLowerCase());
  });
  return headers.map(({ name, value }) => ({ name, value }));
}
