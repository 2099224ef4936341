import type { ProviderScope } from '../domain/ProviderScope.js';

/** Resources that an app may read and change: what Klaviyo's API reference names for its operations. */
const READ_AND_WRITE = [
  ...['campaigns', 'catalogs', 'conversations', 'coupons', 'coupon-codes', 'custom-objects', 'data-privacy', 'events', 'flows'],
  ...['forms', 'images', 'lists', 'metrics', 'profiles', 'push-tokens', 'reviews', 'segments', 'subscriptions', 'tags'],
  ...['templates', 'tracking-settings', 'web-feeds', 'webhooks'],
];

/** What `POST /api/events` needs. */
export const DELIVERY_SCOPE = 'events:write';

const scope = (resource: string, access: ProviderScope['access']): ProviderScope => ({
  name: `${resource}:${access}`,
  resource,
  access,
  required: resource === 'accounts',
});

/** Every scope that Klaviyo is known to have, by name. `accounts:read` is part of each authorization. */
export const klaviyoScopes: readonly ProviderScope[] = [
  scope('accounts', 'read'),
  ...READ_AND_WRITE.flatMap((resource) => [scope(resource, 'read'), scope(resource, 'write')]),
].sort((a, b) => a.name.localeCompare(b.name));
