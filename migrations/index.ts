import { CreateConnectionsAndAuthorizations } from './0001_create_connections_and_authorizations.js';
import { CreateSubscriptionsEventsAndDeliveries } from './0002_create_subscriptions_events_and_deliveries.js';

/** Every migration, oldest first. Never edit one that was released: add the next. */
export const migrations = [
  { name: '0001_create_connections_and_authorizations', class: CreateConnectionsAndAuthorizations },
  { name: '0002_create_subscriptions_events_and_deliveries', class: CreateSubscriptionsEventsAndDeliveries },
] as const;
