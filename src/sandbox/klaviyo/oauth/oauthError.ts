import type { Answer } from '../../web.js';

/** Builds an OAuth error response (RFC 6749, 5.2). A 401 carries the challenge that the same section requires. */
export function oauthError(status: 400 | 401, error: string, description: string): Answer {
  const headers: Record<string, string> = { 'cache-control': 'no-store', pragma: 'no-cache' };
  if (status === 401) headers['www-authenticate'] = 'Basic realm="Klaviyo sandbox", charset="UTF-8"';
  return { status, headers, json: { error, error_description: description } };
}
