import type { EntityManager } from '../../database/Database.js';
import { Connection } from '../../domain/Connection.js';
import type { Delivery } from '../../domain/Delivery.js';
import { Event } from '../../domain/Event.js';
import { Subscription } from '../../domain/Subscription.js';

/** Why a delivery can't be tried again now, in a sentence. */
export async function whyNotRetried(em: EntityManager, delivery: Delivery): Promise<string> {
  if (delivery.status === 'held') return 'It is held until its connection is active again, and is sent then.';
  const connection = await em.findOne(Connection, { id: delivery.connectionId });
  if (!connection) return 'Its connection was deleted.';
  if (connection.status !== 'active') return 'Its connection is not active: see its statusReason.';
  if ((await em.count(Subscription, { id: delivery.subscriptionId })) === 0) return 'Its subscription was deleted.';
  const event = await em.findOne(Event, { id: delivery.eventId }, { fields: ['isTest'] });
  if (event?.isTest) return 'It was a test: broadcast another one instead.';
  if (delivery.orderingKey && !delivery.leasedUntil) return 'An earlier event of its ordering key goes first.';
  return 'An attempt is being made right now.';
}
