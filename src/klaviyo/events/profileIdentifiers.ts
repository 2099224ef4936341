import { canonicalLocale, type Recipient } from '../../domain/Recipient.js';
import type { KlaviyoProfile, KlaviyoProfileIdentifiers } from './KlaviyoEvent.js';

type ProfileIdentifiersResult =
  | { ok: true; identifiers: KlaviyoProfileIdentifiers }
  | { ok: false; code: 'recipient_missing' | 'recipient_invalid'; message: string };

const E164 = /^\+[1-9]\d{6,14}$/;
/** Refuses only what certainly is not an address. Klaviyo decides about the rest. */
const EMAIL = /^[^\s@]+@[^\s@]+$/;

/**
 * Returns the identifiers by which Klaviyo finds the profile. Spaces and punctuation in a telephone number are removed. One
 * malformed identifier makes Klaviyo refuse the whole event, so it is left out when another one is valid: a customer with a
 * mistyped phone number still gets the message by e-mail.
 */
export function profileIdentifiers(recipient: Recipient | null | undefined): ProfileIdentifiersResult {
  const email = recipient?.email?.trim();
  const phoneNumber = recipient?.phoneNumber?.replaceAll(/[\s().-]/g, '');
  const externalId = recipient?.externalId?.trim();
  const anonymousId = recipient?.anonymousId?.trim();
  if (!email && !phoneNumber && !externalId && !anonymousId) {
    return {
      ok: false,
      code: 'recipient_missing',
      message:
        'Klaviyo records an event for a person, and this one names none: ' +
        'publish it with a recipient that has an email, phoneNumber, externalId or anonymousId.',
    };
  }

  const identifiers: KlaviyoProfileIdentifiers = {};
  if (email && EMAIL.test(email)) identifiers.email = email;
  if (phoneNumber && E164.test(phoneNumber)) identifiers.phone_number = phoneNumber;
  if (externalId) identifiers.external_id = externalId;
  if (anonymousId) identifiers.anonymous_id = anonymousId;
  if (Object.keys(identifiers).length === 0) {
    return {
      ok: false,
      code: 'recipient_invalid',
      message:
        "Klaviyo can't find a person by this event's recipient: email must be an e-mail address, " +
        'and phoneNumber must be in E.164 form, such as +31612345678. Publish it again with a correct one.',
    };
  }
  return { ok: true, identifiers };
}

/** Returns the other profile attributes. Absent values are left out, so that they change nothing in Klaviyo. */
export function profileAttributes(recipient: Recipient): Omit<KlaviyoProfile, keyof KlaviyoProfileIdentifiers> {
  const [firstName, lastName] = [recipient.firstName?.trim(), recipient.lastName?.trim()];
  const locale = recipient.locale ? canonicalLocale(recipient.locale) : null;
  return {
    ...(firstName ? { first_name: firstName } : {}),
    ...(lastName ? { last_name: lastName } : {}),
    ...(locale ? { locale } : {}),
  };
}
