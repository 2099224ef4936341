import { describe, expect, it } from 'vitest';
import { profileIdentifiers } from '../../../src/klaviyo/events/profileIdentifiers.js';
import { toKlaviyoEvent } from '../../../src/klaviyo/events/toKlaviyoEvent.js';
import { inputOf } from './fixtures.js';

describe('The profile of a Klaviyo event', () => {
  it('has all identifiers of the recipient', () => {
    expect(profileIdentifiers({ email: 'ann@example.com', phoneNumber: '+31612345678', externalId: 'c-17' })).toEqual({
      ok: true,
      identifiers: { email: 'ann@example.com', phone_number: '+31612345678', external_id: 'c-17' },
    });
  });

  it('is the same for different spellings of a number', () => {
    expect(profileIdentifiers({ phoneNumber: ' +31 (6) 1234-56.78 ' })).toEqual({
      ok: true,
      identifiers: { phone_number: '+31612345678' },
    });
  });

  it.each([undefined, null, {}, { email: null }, { email: '', phoneNumber: ' ', externalId: '' }])(
    'can’t be found for %j: recipient_missing, with what to do',
    (recipient) => {
      expect(toKlaviyoEvent(inputOf({ recipient }))).toEqual({
        ok: false,
        code: 'recipient_missing',
        message: expect.stringContaining('publish it with a recipient that has an email, phoneNumber, externalId or anonymousId'),
      });
    },
  );

  it('leaves out a malformed identifier when another one is valid', () => {
    expect(profileIdentifiers({ email: 'ann@example.com', phoneNumber: '0612345678' })).toEqual({
      ok: true,
      identifiers: { email: 'ann@example.com' },
    });
    expect(profileIdentifiers({ email: 'ann', externalId: 'c-17' })).toEqual({ ok: true, identifiers: { external_id: 'c-17' } });
  });

  it.each([
    { phoneNumber: '0612345678' },
    { phoneNumber: '+0612345678' },
    { email: 'ann.example.com' },
    { email: 'a b@example.com' },
  ])('can’t be found by %j alone: recipient_invalid, and the message contains no personal data', (recipient) => {
    const result = profileIdentifiers(recipient);
    expect(result).toMatchObject({ ok: false, code: 'recipient_invalid' });
    for (const value of Object.values(recipient)) expect(JSON.stringify(result)).not.toContain(value);
  });
});
