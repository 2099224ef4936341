import type { ProblemList } from '../domain/ProblemList.js';
import type { SubscriptionDependencies } from './SubscriptionDependencies.js';

/** Only known event types can be subscribed to; a typo would never deliver anything. */
export function checkEventType(
  { eventTypes }: Pick<SubscriptionDependencies, 'eventTypes'>,
  eventType: string,
  problems: ProblemList,
): void {
  if (eventTypes.get(eventType)) return;
  const names = eventTypes.list().map(({ name }) => name);
  problems.add('INVALID_CHOICE', `There is no such event type. There are: ${names.join(', ')}.`, 'eventType');
}
