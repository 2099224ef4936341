import type { ProblemList } from './errors.js';

/** The person whom an event is about. Personal data: encrypted at rest, for Klaviyo only, never in a webhook's body or a log. */
export interface Recipient {
  readonly email?: string | null;
  /** E.164. */
  readonly phoneNumber?: string | null;
  /** The customer's id in the merchant's system. */
  readonly externalId?: string | null;
  /** The id that the merchant's shop gave to an unidentified visitor. */
  readonly anonymousId?: string | null;
  readonly firstName?: string | null;
  readonly lastName?: string | null;
  /** BCP 47 language tag, such as `nl-NL`. */
  readonly locale?: string | null;
}

const MAX_TEXT = 255;

/** Checks a recipient at `path` of an input. Adds problems to the list. */
export function checkRecipient(recipient: Recipient, problems: ProblemList, ...path: string[]): void {
  const { email, phoneNumber, externalId, anonymousId, firstName, lastName, locale } = recipient;
  if (![email, phoneNumber, externalId, anonymousId].some((identifier) => identifier?.trim())) {
    problems.add('REQUIRED', 'A recipient has an email, a phoneNumber, an externalId or an anonymousId.', ...path);
  }
  for (const [name, text] of Object.entries({ email, externalId, anonymousId, firstName, lastName })) {
    checkText(text, problems, ...path, name);
  }
  if (locale !== null && locale !== undefined && canonicalLocale(locale) === null) {
    problems.add('INVALID', 'A locale is a language tag after BCP 47, such as nl-NL.', ...path, 'locale');
  }
}

/** Checks a text: 1 to 255 characters on one line. Adds problems to the list. */
export function checkText(text: string | null | undefined, problems: ProblemList, ...path: string[]): void {
  if (text === null || text === undefined) return;
  if (text.length === 0 || text.length > MAX_TEXT || /\p{Cc}/u.test(text)) {
    problems.add('INVALID', `It must have 1 to ${MAX_TEXT} characters, without control characters.`, ...path);
  }
}

/** Normalizes a language tag: `nl-nl` to `nl-NL` (RFC 5646 2.1.1). Returns null for an invalid one. */
export function canonicalLocale(locale: string): string | null {
  if (locale.length > MAX_TEXT) return null;
  try {
    return Intl.getCanonicalLocales(locale)[0] ?? null;
  } catch {
    return null;
  }
}
