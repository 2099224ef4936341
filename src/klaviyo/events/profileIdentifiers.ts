import type { KlaviyoProfileIdentifiers } from './klaviyoEvent.js';

/** Whom an event is about: personal data, never to be logged. */
export type Recipient = {
  email?: string | null;
  /** E.164; spaces and punctuation are forgiven. */
  phoneNumber?: string | null;
  /** The merchant's own id of the customer. */
  externalId?: string | null;
};

type ProfileIdentifiersResult =
  | { ok: true; identifiers: KlaviyoProfileIdentifiers }
  | { ok: false; code: 'recipient_missing' | 'recipient_invalid'; message: string };

const E164 = /^\+[1-9]\d{6,14}$/;
/** Only what is certainly not an address is refused; Klaviyo decides about the rest. */
const EMAIL = /^[^\s@]+@[^\s@]+$/;

/**
 * How Klaviyo finds the profile. One malformed identifier makes Klaviyo refuse the whole event, so it is left out as long as
 * another one is good: a mistyped phone number should not cost a customer with an e-mail address their message.
 */
export function profileIdentifiers(recipient: Recipient | null | undefined): ProfileIdentifiersResult {
  const email = recipient?.email?.trim();
  const phoneNumber = recipient?.phoneNumber?.replaceAll(/[\s().-]/g, '');
  const externalId = recipient?.externalId?.trim();
  if (!email && !phoneNumber && !externalId) {
    return {
      ok: false,
      code: 'recipient_missing',
      message:
        'Klaviyo records an event for a person, and this one names none: ' +
        'publish it with a recipient that has an email, phoneNumber or externalId.',
    };
  }

  const identifiers: KlaviyoProfileIdentifiers = {};
  if (email && EMAIL.test(email)) identifiers.email = email;
  if (phoneNumber && E164.test(phoneNumber)) identifiers.phone_number = phoneNumber;
  if (externalId) identifiers.external_id = externalId;
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
