import * as oauth from 'oauth4webapi';
import { ProviderError } from '../oauth/ProviderError.js';

/** OAuth errors (RFC 6749 5.2) that are about us, not about the merchant's grant. */
const CONFIGURATION_CODES = new Set(['invalid_client', 'unauthorized_client', 'unsupported_grant_type', 'invalid_grant_type']);

/**
 * Tells what a failure of a call to Klaviyo means. Only a readable OAuth error may condemn a grant or our
 * configuration; timeouts, resets, 5xx, limits and HTML from the edge are always transient.
 * `secrets` is what was sent: a provider that repeats it in its reason does not get it into ours.
 */
export function toProviderError(error: unknown, secrets: readonly string[] = []): ProviderError {
  if (error instanceof ProviderError) return error;
  if (error instanceof oauth.ResponseBodyError) return fromOAuthError(error, secrets);
  if (error instanceof oauth.OperationProcessingError && error.cause instanceof Response) return fromStatus(error.cause);
  if (error instanceof DOMException && (error.name === 'TimeoutError' || error.name === 'AbortError')) {
    return new ProviderError('transient', 'provider_timeout', 'Klaviyo did not answer in time.');
  }
  return new ProviderError('transient', 'provider_unavailable', 'Klaviyo could not be reached, or its answer could not be read.');
}

function fromOAuthError(
  { error, error_description: description, status, response }: oauth.ResponseBodyError,
  secrets: readonly string[],
): ProviderError {
  if (status === 429 || status >= 500) return fromStatus(response);
  const code = printable(error, secrets);
  const said = description ? `: ${printable(description, secrets)}` : '.';
  if (CONFIGURATION_CODES.has(error)) {
    return new ProviderError('configuration', code, `Klaviyo refused this server's own credentials (${code})${said}`);
  }
  return new ProviderError('grant', code, `Klaviyo refused the grant (${code})${said}`);
}

/** However long an answer wants us to stay away, a merchant's events shall not wait longer than this for the next try. */
const LONGEST_PAUSE_SECONDS = 300;

function fromStatus(response: Response): ProviderError {
  if (response.status === 429) {
    const seconds = Number(response.headers.get('retry-after'));
    return new ProviderError(
      'transient',
      'rate_limited',
      'Klaviyo is limiting requests at the moment.',
      seconds > 0 ? Math.min(seconds, LONGEST_PAUSE_SECONDS) : null,
    );
  }
  return new ProviderError('transient', 'provider_unavailable', `Klaviyo answered ${response.status} without a readable reason.`);
}

/** Anything shorter could be a part of an honest word. */
const SHORTEST_SECRET = 16;

/** What a provider says goes into pages and rows: one line, bounded, without our secrets. */
function printable(text: string, secrets: readonly string[]): string {
  const long = secrets.filter((secret) => secret.length >= SHORTEST_SECRET);
  const clean = long.reduce((said, secret) => said.replaceAll(secret, '…'), text);
  return clean.replace(/[^\x20-\x7e…]/g, ' ').slice(0, 300);
}
