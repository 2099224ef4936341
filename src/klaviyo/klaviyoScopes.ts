import type { ProviderScope } from '../domain/ProviderScope.js';

/** Resources with a read and a write scope, as listed in Klaviyo's API reference. */
const READ_AND_WRITE = [
  ...['campaigns', 'catalogs', 'conversations', 'coupons', 'coupon-codes', 'custom-objects', 'data-privacy', 'events', 'flows'],
  ...['forms', 'images', 'lists', 'metrics', 'profiles', 'push-tokens', 'reviews', 'segments', 'subscriptions', 'tags'],
  ...['templates', 'tracking-settings', 'web-feeds', 'webhooks'],
];

/** The scope that `POST /api/events` needs. */
export const DELIVERY_SCOPE = 'events:write';

const scope = (resource: string, access: ProviderScope['access']): ProviderScope => ({
  name: `${resource}:${access}`,
  resource,
  access,
  required: resource === 'accounts',
});

/** Every known scope of Klaviyo, by name. Every authorization includes `accounts:read`. */
export const klaviyoScopes: readonly ProviderScope[] = [
  scope('accounts', 'read'),
  ...READ_AND_WRITE.flatMap((resource) => [scope(resource, 'read'), scope(resource, 'write')]),
].sort((a, b) => a.name.localeCompare(b.name));
