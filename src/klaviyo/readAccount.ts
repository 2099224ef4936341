import type { ProviderAccount } from '../oauth/Provider.js';
import { ProviderError } from '../oauth/ProviderError.js';

/** Reads `GET /api/accounts` (JSON:API, scope accounts:read): the one account that the token belongs to. */
export async function readAccount(response: Response): Promise<ProviderAccount> {
  if (response.status === 401 && (await says(response, 'not_authenticated'))) {
    throw new ProviderError('grant', 'not_authenticated', 'Klaviyo did not accept the access token.');
  }
  if (response.status === 403 && (await says(response, 'permission_denied'))) {
    throw new ProviderError('grant', 'permission_denied', 'The grant lacks accounts:read.');
  }
  if (response.status === 429) {
    const seconds = Number(response.headers.get('retry-after')) || null;
    throw new ProviderError('transient', 'rate_limited', "Klaviyo's accounts API is limiting requests.", seconds);
  }
  if (response.status !== 200) {
    throw new ProviderError('transient', 'provider_unavailable', `Klaviyo's accounts API answered ${response.status}.`);
  }
  const body = (await response.json()) as { data?: { id?: unknown; attributes?: Record<string, unknown> }[] };
  const account = body.data?.[0];
  if (typeof account?.id !== 'string') {
    throw new ProviderError('transient', 'provider_unavailable', "Klaviyo's accounts API named no account.");
  }
  const contact = account.attributes?.contact_information as { organization_name?: unknown } | undefined;
  const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
  return { id: account.id, name: text(contact?.organization_name), timezone: text(account.attributes?.timezone) };
}

/** Whether a refusal names this reason, as JSON:API does. A page from the edge says nothing about the grant. */
async function says(response: Response, code: string): Promise<boolean> {
  const body = (await response.json().catch(() => null)) as { errors?: { code?: unknown }[] } | null;
  return Array.isArray(body?.errors) && body.errors.some((error) => error?.code === code);
}
