import { isRecord } from '../../web.js';
import type { ArrivedEvent, CheckedEvent } from '../eventLog.js';
import type { KlaviyoContext } from '../klaviyoContext.js';
import type { ApiEndpoint } from './apiRoute.js';
import { type ErrorPlace, invalidInput, MOST_BODY_BYTES, readJsonApiBody } from './jsonApi.js';

/** POST /api/events: one event. A repetition gets the same response as the first request. */
export const eventsEndpoint = (context: KlaviyoContext): ApiEndpoint => ({
  method: 'POST',
  path: '/klaviyo/api/events',
  scope: 'events:write',
  limit: { perSecond: 350, perMinute: 3_500 },
  counter: 'eventRequests',
  bodyLimit: MOST_BODY_BYTES,
  handle(request, grant) {
    const { attributes, error } = readJsonApiBody(request, 'event');
    if (error) return error;
    const errors: ErrorPlace[] = [];
    const profile = checkProfile(attributes.profile, '/data/attributes/profile', errors);
    const event = checkEvent(attributes, profile ?? { profile: {}, profileKey: '' }, '/data/attributes', context.now(), errors);
    if (errors.length > 0) return invalidInput(errors.slice(0, 20));
    recordEvent(context, grant.accountId, event, 'single');
    return { status: 202 };
  },
});

const MOST_EVENTS = 1_000;
const ROOT = '/data/attributes/events-bulk-create/data';

/**
 * POST /api/event-bulk-create-jobs: events of many profiles. One invalid event, or one repeated unique_id, refuses all of them.
 */
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

/** Reads one profile with its events. */
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

/** Records an event for an account, or counts it as a repetition. */
function recordEvent(context: KlaviyoContext, accountId: string, event: CheckedEvent, via: ArrivedEvent['via']): void {
  const profileId = context.profiles.record(accountId, event.profile, event.time);
  const isNew = context.events.record(accountId, event, profileId, via);
  context.counters[isNew ? 'events' : 'duplicateEvents'] += 1;
  context.changed();
}

const EVENT_FIELDS = new Set(['properties', 'time', 'value', 'value_currency', 'unique_id', 'backfill', 'metric', 'profile']);
const METRIC_NAME_BELOW = 128;
const EARLIEST = Date.parse('2000-01-01T00:00:00Z');
const YEAR_MS = 366 * 24 * 3_600_000;
const ISO_8601 = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$/i;

/** Reads the attributes of one event. Adds problems to `errors`. */
function checkEvent(
  attributes: Record<string, unknown>,
  profile: CheckedProfile,
  pointer: string,
  now: number,
  errors: ErrorPlace[],
): CheckedEvent {
  const complain = (detail: string, field: string) => void errors.push({ detail, pointer: `${pointer}/${field}` });
  const { properties, time, value, value_currency: currency, unique_id: uniqueId, backfill } = attributes;

  for (const name of Object.keys(attributes)) {
    if (!EVENT_FIELDS.has(name)) complain(`'${name}' is not a field of the resource 'event'.`, name);
  }
  if (!isRecord(properties)) complain('properties is required and must be an object.', 'properties');
  else if (Object.keys(properties).length > MOST_PROPERTIES)
    complain(`An event may have ${MOST_PROPERTIES} properties.`, 'properties');
  else checkStrings(properties, 'properties', complain);

  if (value !== undefined && value !== null && typeof value !== 'number') complain('value must be a number.', 'value');
  if (currency !== undefined && currency !== null && !(typeof currency === 'string' && /^[A-Z]{3}$/.test(currency))) {
    complain('value_currency must be an ISO 4217 code, as EUR.', 'value_currency');
  }
  if (uniqueId !== undefined && uniqueId !== null && (typeof uniqueId !== 'string' || uniqueId === '')) {
    complain('unique_id must be a string that is not empty.', 'unique_id');
  }
  if (backfill !== undefined && backfill !== null && typeof backfill !== 'boolean') {
    complain('backfill must be true or false.', 'backfill');
  }
  return {
    ...profile,
    metric: checkMetric(attributes.metric, complain),
    properties: isRecord(properties) ? properties : {},
    time: checkTime(time, now, complain),
    value: typeof value === 'number' ? value : undefined,
    valueCurrency: typeof currency === 'string' ? currency : undefined,
    uniqueId: typeof uniqueId === 'string' ? uniqueId : undefined,
    backfill: typeof backfill === 'boolean' ? backfill : undefined,
  };
}

function checkMetric(metric: unknown, complain: Complain): string {
  const data = isRecord(metric) ? metric.data : undefined;
  if (!isRecord(data)) complain('metric is required, as { "data": { … } }.', 'metric');
  else if (data.type !== 'metric') complain('The type must be "metric".', 'metric/data/type');
  else {
    const name = isRecord(data.attributes) ? data.attributes.name : undefined;
    if (typeof name === 'string' && name !== '' && name.length < METRIC_NAME_BELOW) return name;
    complain(`The name is required, and shorter than ${METRIC_NAME_BELOW} characters.`, 'metric/data/attributes/name');
  }
  return '';
}

function checkTime(time: unknown, now: number, complain: Complain): number {
  if (time === undefined || time === null) return now;
  const parsed = typeof time === 'string' && ISO_8601.test(time) ? Date.parse(time) : Number.NaN;
  if (Number.isNaN(parsed)) complain('time must be a date and time in ISO 8601.', 'time');
  else if (parsed < EARLIEST) complain('time must be after the year 2000.', 'time');
  else if (parsed > now + YEAR_MS) complain('time must be at most a year ahead.', 'time');
  else return parsed;
  return now;
}

interface CheckedProfile {
  /** Attributes as sent, with `id` if there was one. */
  profile: Record<string, unknown>;
  /** The identifier that decides which profile it is, such as `email:a@example.com`. */
  profileKey: string;
}

// In the order of their precedence.
const IDENTIFIERS = ['id', 'email', 'phone_number', 'external_id', 'anonymous_id'];
const PROFILE_FIELDS = new Set([
  ...IDENTIFIERS,
  ...['_kx', 'first_name', 'last_name', 'organization', 'locale', 'title', 'image', 'location', 'properties', 'meta'],
]);
const NAMES = ['first_name', 'last_name', 'organization', 'locale', 'title', 'image', '_kx'];
const OBJECTS = ['location', 'properties', 'meta'];
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
const E164 = /^\+[1-9]\d{6,14}$/;

/** Reads `profile` of an event. Returns undefined, with the problems in `errors`, when it has no valid identifier. */
function checkProfile(value: unknown, pointer: string, errors: ErrorPlace[]): CheckedProfile | undefined {
  const complain = (detail: string, place: string) => void errors.push({ detail, pointer: `${pointer}${place}` });
  const data = isRecord(value) ? value.data : undefined;
  if (!isRecord(data)) return complain('profile is required, as { "data": { … } }.', '');
  if (data.type !== 'profile') return complain('The type must be "profile".', '/data/type');
  const attributes = data.attributes ?? {};
  if (!isRecord(attributes)) return complain('attributes must be an object.', '/data/attributes');

  const profile: Record<string, unknown> = data.id === undefined ? attributes : { ...attributes, id: data.id };
  for (const [name, field] of Object.entries(profile)) {
    const place = `/data/attributes/${name}`;
    if (!PROFILE_FIELDS.has(name)) complain(`'${name}' is not a field of the resource 'profile'.`, place);
    if (field === null) continue;
    if (NAMES.includes(name) && typeof field !== 'string') complain(`${name} must be a string.`, place);
    if (OBJECTS.includes(name)) {
      if (!isRecord(field)) complain(`${name} must be an object.`, place);
      else if (Object.keys(field).length > MOST_PROPERTIES) complain(`A profile may have ${MOST_PROPERTIES} properties.`, place);
      else checkStrings(field, place, complain);
    } else if (typeof field === 'string') checkStrings(field, place, complain);
    if (!IDENTIFIERS.includes(name)) continue;
    if (typeof field !== 'string' || field === '') complain(`${name} must be a string that is not empty.`, place);
    else if (name === 'email' && !EMAIL.test(field)) complain('This is not an email address.', place);
    else if (name === 'phone_number' && !E164.test(field)) complain('The phone number must be in E.164, as +31612345678.', place);
  }
  const identifier = IDENTIFIERS.find((name) => typeof profile[name] === 'string');
  if (!identifier) return complain(`A profile needs one of ${IDENTIFIERS.join(', ')}.`, '/data');
  return { profile, profileKey: `${identifier}:${String(profile[identifier]).toLowerCase()}` };
}

type Complain = (detail: string, place: string) => void;

/** Maximum properties of an event and of a profile according to Klaviyo's API reference. Its older guides say 300. */
const MOST_PROPERTIES = 400;
const MOST_STRING_BYTES = 100_000;
// The sandbox's own limit, not Klaviyo's: JSON.stringify must be able to handle stored values.
const DEEPEST = 100;

/** Refuses strings and nesting beyond the limits of Klaviyo or the sandbox. */
function checkStrings(value: unknown, place: string, complain: Complain, depth = 0): void {
  if (typeof value === 'string') {
    // A UTF-16 unit takes at most three bytes of UTF-8, so most strings need no byte count.
    if (value.length * 3 > MOST_STRING_BYTES && Buffer.byteLength(value) > MOST_STRING_BYTES) {
      complain(`A string may have ${MOST_STRING_BYTES} bytes.`, place);
    }
  } else if (typeof value === 'object' && value !== null) {
    if (depth > DEEPEST) complain('This is nested too deeply.', place);
    else for (const [name, member] of Object.entries(value)) checkStrings(member, `${place}/${name}`, complain, depth + 1);
  }
}
