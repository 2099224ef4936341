import { InputError } from './errors.js';

/**
 * Checks the URL to which a browser is sent after an authorization: http(s), no credentials, at most 2,048 characters, and an
 * allowed origin (otherwise this would be an open redirector, RFC 6749 10.15). Returns the URL as text, or null when none was
 * given. Throws an InputError: INVALID at `returnTo`.
 */
export function checkReturnTo(returnTo: URL | string | null | undefined, allowedOrigins: readonly string[]): string | null {
  if (returnTo === null || returnTo === undefined) return null;
  const text = String(returnTo);
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || text.length > 2048) {
    throw InputError.of(
      'INVALID',
      'returnTo must be an http or https URL of at most 2,048 characters, without credentials.',
      'returnTo',
    );
  }
  if (!allowedOrigins.includes(url.origin)) {
    throw InputError.of('INVALID', 'The origin of returnTo is not in RETURN_TO_ORIGINS: ask the operator to add it.', 'returnTo');
  }
  return url.href;
}
