import { isRecord } from '../../isRecord.js';
import { checkStrings, MOST_PROPERTIES } from './checkStrings.js';
import type { ErrorPlace } from './jsonApiError.js';

export interface CheckedProfile {
  /** Attributes as sent, with `id` when there was one. */
  profile: Record<string, unknown>;
  /** The identifier that decides which profile it is, such as `email:a@example.com`. */
  profileKey: string;
}

// In the order in which they decide.
const IDENTIFIERS = ['id', 'email', 'phone_number', 'external_id', 'anonymous_id'];
const FIELDS = new Set([
  ...IDENTIFIERS,
  ...['_kx', 'first_name', 'last_name', 'organization', 'locale', 'title', 'image', 'location', 'properties', 'meta'],
]);
const NAMES = ['first_name', 'last_name', 'organization', 'locale', 'title', 'image', '_kx'];
const OBJECTS = ['location', 'properties', 'meta'];
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
const E164 = /^\+[1-9]\d{6,14}$/;

/** Reads `profile` of an event; undefined, with the reasons in `errors`, when nobody is identified by it. */
export function checkProfile(value: unknown, pointer: string, errors: ErrorPlace[]): CheckedProfile | undefined {
  const complain = (detail: string, place: string) => void errors.push({ detail, pointer: `${pointer}${place}` });
  const data = isRecord(value) ? value.data : undefined;
  if (!isRecord(data)) return complain('profile is required, as { "data": { … } }.', '');
  if (data.type !== 'profile') return complain('The type must be "profile".', '/data/type');
  const attributes = data.attributes ?? {};
  if (!isRecord(attributes)) return complain('attributes must be an object.', '/data/attributes');

  const profile: Record<string, unknown> = data.id === undefined ? attributes : { ...attributes, id: data.id };
  for (const [name, field] of Object.entries(profile)) {
    const place = `/data/attributes/${name}`;
    if (!FIELDS.has(name)) complain(`'${name}' is not a field of the resource 'profile'.`, place);
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
