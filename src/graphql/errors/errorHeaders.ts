import type { SwitchboardError } from '../../domain/SwitchboardError.js';

/**
 * The headers that belong to an error: what would do instead of these credentials (RFC 9110 11.6.1, RFC 6750 3), when to
 * come again (10.2.3), which methods there are (10.2.1). The challenge is never `Basic`, which makes browsers open a
 * log-in dialog over the app.
 */
export function errorHeaders({ code, facts }: SwitchboardError): Record<string, string> {
  const headers: Record<string, string> = {};
  if (code === 'UNAUTHENTICATED' || facts.bearerError) {
    const parts = ['realm="switchboard"'];
    if (facts.bearerError) parts.push(`error="${facts.bearerError}"`);
    if (facts.scope) parts.push(`scope="${facts.scope}"`);
    headers['www-authenticate'] = `Bearer ${parts.join(', ')}`;
  }
  if (facts.retryAfterSeconds !== undefined) headers['retry-after'] = String(facts.retryAfterSeconds);
  if (facts.allow) headers.allow = facts.allow.join(', ');
  return headers;
}
