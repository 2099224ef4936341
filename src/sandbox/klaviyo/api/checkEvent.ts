import { isRecord } from '../../isRecord.js';
import type { CheckedEvent } from '../eventLog.js';
import type { CheckedProfile } from './checkProfile.js';
import { type Complain, checkStrings, MOST_PROPERTIES } from './checkStrings.js';
import type { ErrorPlace } from './jsonApiError.js';

const FIELDS = new Set(['properties', 'time', 'value', 'value_currency', 'unique_id', 'backfill', 'metric', 'profile']);
const METRIC_NAME_BELOW = 128;
const EARLIEST = Date.parse('2000-01-01T00:00:00Z');
const YEAR_MS = 366 * 24 * 3_600_000;
const ISO_8601 = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$/i;

/** Reads the attributes of one event; what is wrong with them goes into `errors`. */
export function checkEvent(
  attributes: Record<string, unknown>,
  profile: CheckedProfile,
  pointer: string,
  now: number,
  errors: ErrorPlace[],
): CheckedEvent {
  const complain = (detail: string, field: string) => void errors.push({ detail, pointer: `${pointer}/${field}` });
  const { properties, time, value, value_currency: currency, unique_id: uniqueId, backfill } = attributes;

  for (const name of Object.keys(attributes)) {
    if (!FIELDS.has(name)) complain(`'${name}' is not a field of the resource 'event'.`, name);
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
