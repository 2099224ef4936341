import type { Connection, WebhookConfiguration } from '../../domain/Connection.js';
import type { Subscription } from '../../domain/Subscription.js';

/** OpenAPI connection. */
export function presentConnection({ id, type, configuration, createdAt, updatedAt }: Connection): object {
  return {
    id,
    type,
    configuration: type === 'webhook' ? presentWebhook(configuration as WebhookConfiguration) : {},
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  };
}

function presentWebhook({ url, authType, extraHeaders }: WebhookConfiguration): object {
  return {
    url,
    auth_type: authType,
    extra_headers: Object.fromEntries(extraHeaders.map(({ name, value }) => [name, value])),
  };
}

/** OpenAPI subscription. */
export function presentSubscription({ id, connectionId, eventType, isActive, createdAt, updatedAt }: Subscription): object {
  return {
    id,
    connection_id: connectionId,
    event_type: eventType,
    is_active: isActive,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  };
}
