import type { ProviderScope } from '../domain/ProviderScope.js';

/** Resources by the access that Klaviyo offers on them. */
const READ_AND_WRITE = [
  'campaigns',
  'catalogs',
  'conversations',
  'coupons',
  'coupon-codes',
  'data-privacy',
  'events',
  'flows',
  'lists',
  'metrics',
  'profiles',
  'push-tokens',
  'segments',
  'subscriptions',
  'tags',
  'tracking-settings',
  'webhooks',
];
const READ_ONLY = ['accounts', 'forms', 'images', 'reviews', 'templates', 'web-feeds'];

const scope = (resource: string, access: ProviderScope['access']): ProviderScope => ({
  name: `${resource}:${access}`,
  resource,
  access,
  required: resource === 'accounts',
});

/** Every scope that Klaviyo knows, by name. `accounts:read` is part of each authorization. */
export const klaviyoScopes: readonly ProviderScope[] = [
  ...READ_ONLY.map((resource) => scope(resource, 'read')),
  ...READ_AND_WRITE.flatMap((resource) => [scope(resource, 'read'), scope(resource, 'write')]),
].sort((a, b) => a.name.localeCompare(b.name));
