import type { ArrivedEvent, CheckedEvent } from '../eventLog.js';
import type { KlaviyoContext } from '../klaviyoContext.js';

/** Records an event for an account, or counts it as the repetition that it is. */
export function recordEvent(context: KlaviyoContext, accountId: string, event: CheckedEvent, via: ArrivedEvent['via']): void {
  const profileId = context.profiles.record(accountId, event.profile, event.time);
  const isNew = context.events.record(accountId, event, profileId, via);
  context.counters[isNew ? 'events' : 'duplicateEvents'] += 1;
  context.changed();
}
