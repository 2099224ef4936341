const RESOURCES: Record<string, string> = {
  accounts: 'account details, such as name and time zone',
  campaigns: 'campaigns',
  catalogs: 'catalogs',
  conversations: 'conversations',
  coupons: 'coupons',
  'coupon-codes': 'coupon codes',
  'data-privacy': 'data privacy requests',
  events: 'events, such as a parcel being delivered',
  flows: 'flows',
  forms: 'sign-up forms',
  images: 'images',
  lists: 'lists',
  metrics: 'metrics',
  profiles: 'customer profiles',
  'push-tokens': 'push tokens',
  reviews: 'reviews',
  segments: 'segments',
  subscriptions: 'marketing consent',
  tags: 'tags',
  templates: 'e-mail templates',
  'tracking-settings': 'tracking settings',
  'web-feeds': 'web feeds',
  webhooks: 'webhooks',
};

/** A scope in the words a merchant would use. */
export function scopeWords(scope: string): string {
  const [resource = scope, access] = scope.split(':');
  const words = RESOURCES[resource] ?? resource;
  return access === 'write' ? `Add and change ${words}` : `Read ${words}`;
}
