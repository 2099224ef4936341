import { isRecord } from '../../isRecord.js';
import type { CheckedEvent } from '../eventLog.js';
import type { KlaviyoContext } from '../klaviyoContext.js';
import type { ApiEndpoint } from './apiRoute.js';
import { checkEvent } from './checkEvent.js';
import { checkProfile } from './checkProfile.js';
import { type ErrorPlace, invalidInput } from './jsonApiError.js';
import { MOST_BODY_BYTES, readJsonApiBody } from './readJsonApiBody.js';
import { recordEvent } from './recordEvent.js';

const MOST_EVENTS = 1_000;
const ROOT = '/data/attributes/events-bulk-create/data';

/** POST /api/event-bulk-create-jobs: events of many profiles. One mistake, or one repeated unique_id, refuses them all. */
export const bulkEventsEndpoint = (context: KlaviyoContext): ApiEndpoint => ({
  method: 'POST',
  path: '/klaviyo/api/event-bulk-create-jobs',
  scope: 'events:write',
  limit: { perSecond: 10, perMinute: 150 },
  counter: 'bulkRequests',
  bodyLimit: MOST_BODY_BYTES,
  handle(request, grant) {
    const { attributes, error } = readJsonApiBody(request, 'event-bulk-create-job');
    if (error) return error;
    const errors: ErrorPlace[] = [];
    const events = readEvents(attributes['events-bulk-create'], context.now(), errors);
    if (events.length > MOST_EVENTS) {
      errors.unshift({ detail: `A job may have ${MOST_EVENTS} events, not ${events.length}.`, pointer: ROOT });
    }
    const seen = new Set<string>();
    for (const { uniqueId } of events) {
      if (uniqueId === undefined) continue;
      if (seen.has(uniqueId) || context.events.hasUniqueId(grant.accountId, uniqueId)) {
        errors.push({ detail: `The unique_id ${uniqueId.slice(0, 100)} was used before.`, pointer: ROOT });
      }
      seen.add(uniqueId);
    }
    if (errors.length > 0) return invalidInput(errors.slice(0, 20));
    for (const event of events) recordEvent(context, grant.accountId, event, 'bulk');
    return { status: 202 };
  },
});

function readEvents(bulk: unknown, now: number, errors: ErrorPlace[]): CheckedEvent[] {
  const entries = isRecord(bulk) ? bulk.data : undefined;
  if (!Array.isArray(entries) || entries.length === 0) {
    errors.push({ detail: 'events-bulk-create is required, as { "data": [ … ] }.', pointer: ROOT });
    return [];
  }
  return entries.flatMap((entry, index) => readEntry(entry, `${ROOT}/${index}`, now, errors));
}

/** One profile with its events. */
function readEntry(entry: unknown, pointer: string, now: number, errors: ErrorPlace[]): CheckedEvent[] {
  const complain = (detail: string, place: string): CheckedEvent[] => {
    errors.push({ detail, pointer: `${pointer}${place}` });
    return [];
  };
  if (!isRecord(entry) || entry.type !== 'event-bulk-create') return complain('The type must be "event-bulk-create".', '/type');
  const { attributes } = entry;
  if (!isRecord(attributes)) return complain('attributes is required and must be an object.', '/attributes');
  const profile = checkProfile(attributes.profile, `${pointer}/attributes/profile`, errors);
  const { backfill } = attributes;
  const list = isRecord(attributes.events) ? attributes.events.data : undefined;
  if (!Array.isArray(list) || list.length === 0) {
    return complain('events is required, as { "data": [ … ] }.', '/attributes/events');
  }
  return list.flatMap((event: unknown, index) => {
    const place = `/attributes/events/data/${index}`;
    if (!isRecord(event) || event.type !== 'event') return complain('The type must be "event".', `${place}/type`);
    if (!isRecord(event.attributes)) return complain('attributes is required and must be an object.', `${place}/attributes`);
    const known = profile ?? { profile: {}, profileKey: '' };
    return [checkEvent({ backfill, ...event.attributes }, known, `${pointer}${place}/attributes`, now, errors)];
  });
}
